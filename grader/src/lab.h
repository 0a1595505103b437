#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "files.h"

namespace goro::grader {

enum class BuildKind { release, tsan, asan, sim };
enum class Architecture { x86_64, aarch64 };

std::string_view name_of(BuildKind kind);
std::string_view name_of(Architecture architecture);

struct Slot {
  std::string name;
  std::vector<std::string> files;
  std::set<std::string> replaces;  // the system's functions that it takes the place of
};

struct Step {
  int step = 0;
  std::string title;
  std::string file;
  std::string function;
};

// What tests and benchmarks have in common: something that earns points.
struct Exercise {
  std::string name;
  double points = 0;
  std::string concept_name;
  std::string section;  // the anchor in the lab's README.md
  int time_limit_s = 0;
  std::vector<std::string> hints;                // from a nudge to nearly the answer
  std::vector<Architecture> architectures = {};  // empty: all
};

struct Test : Exercise {
  BuildKind build = BuildKind::release;
  bool is_private = false;  // the instructor's, see private_tests.h
};

struct Benchmark : Exercise {
  double max_ratio = 0;  // the most it may take, as a multiple of the reference's
  std::string counter;   // what is measured, if not time: the name of a counter in its report
};

// One lab as its lab.json states it.
struct Lab {
  int number = 0;
  std::string folder;  // "04-local-run-queue"
  std::string title;
  std::string idea;
  std::optional<Slot> slot;  // lab 00 measures, it has none
  std::vector<Step> steps;
  std::vector<Test> tests;
  std::vector<Benchmark> benchmarks;
  std::string problem;  // why its lab.json cannot be used, if so; then only the slot is known

  [[nodiscard]] std::string number_text() const;  // "04"
  [[nodiscard]] const Step* find_step(int step) const;
  // False: a lab to read and to measure in, in which nothing is checked.
  [[nodiscard]] bool has_exercises() const {
    return !problem.empty() || !tests.empty() || !benchmarks.empty();
  }
};

// A slot file whose stem ends in _x86_64 or _aarch64 is only built there.
bool built_on(const std::string& file, Architecture architecture);
// Of a slot file for one architecture, the one that says the same for `architecture`; any other
// file as it is.
std::string built_variant(const Lab& lab, const std::string& file, Architecture architecture);
bool counts_on(const Exercise& exercise, Architecture architecture);

// Strict: an unknown key, a missing key, a wrong type, points that do not sum to 100 or a duplicate
// name is a Problem of one line that names the file and the key. `shown` is the file's name in it.
Lab parse_lab(const std::string& json, const std::string& shown, const std::string& folder);

// What a file {"tests": […]} lists, read as strictly; no points must sum to anything.
std::vector<Test> parse_tests(const std::string& json, const std::string& shown);

// Never throws for what is wrong with the file: the complaint is Lab::problem, and the slot is read
// as far as possible, since other labs are built beside it.
Lab load_lab(const fs::path& lab_json, const std::string& shown);

}  // namespace goro::grader
