#include "lab.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "json_reader.h"
#include "problem.h"
#include "text.h"
#include "value_names.h"

namespace goro::grader {

namespace {

constexpr ValueNames<BuildKind, 4> build_names{{
    {BuildKind::release, "release"},
    {BuildKind::tsan, "tsan"},
    {BuildKind::asan, "asan"},
    {BuildKind::sim, "sim"},
}};

constexpr ValueNames<Architecture, 2> architecture_names{{
    {Architecture::x86_64, "x86_64"},
    {Architecture::aarch64, "aarch64"},
}};

}  // namespace

std::string_view name_of(BuildKind kind) {
  return name_in(build_names, kind);
}

std::string_view name_of(Architecture architecture) {
  return name_in(architecture_names, architecture);
}

std::string Lab::number_text() const {
  return folder.substr(0, 2);
}

const Step* Lab::find_step(int step) const {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const Step& s) { return s.step == step; });
  return found == steps.end() ? nullptr : &*found;
}

bool built_on(const std::string& file, Architecture architecture) {
  const std::string stem = fs::path(file).stem();
  if (stem.ends_with("_x86_64")) {
    return architecture == Architecture::x86_64;
  }
  if (stem.ends_with("_aarch64")) {
    return architecture == Architecture::aarch64;
  }
  return true;
}

std::string built_variant(const Lab& lab, const std::string& file, Architecture architecture) {
  if (built_on(file, architecture) || !lab.slot) {
    return file;
  }
  const fs::path path = file;
  const std::string stem = path.stem();
  const std::string common =
      stem.substr(0, stem.rfind(stem.ends_with("_x86_64") ? "_x86_64" : "_"));
  for (const std::string& other : lab.slot->files) {
    if (built_on(other, architecture) && fs::path(other).extension() == path.extension() &&
        fs::path(other).stem() == common + "_" + std::string(name_of(architecture))) {
      return other;
    }
  }
  return file;
}

bool counts_on(const Exercise& exercise, Architecture architecture) {
  const std::vector<Architecture>& only = exercise.architectures;
  return only.empty() || std::find(only.begin(), only.end(), architecture) != only.end();
}

namespace {

// A slot file's name becomes part of paths, so it must be a plain name.
bool plain_file_name(const std::string& name) {
  return name != "." && name != ".." && name.find_first_of("/\\;\n\"$") == std::string::npos;
}

Slot read_slot(JsonReader reader) {
  Slot slot;
  slot.name = reader.text("name");
  slot.files = reader.texts("files");
  for (const std::string& function : reader.texts_or_none("replaces")) {
    slot.replaces.insert(function);
  }
  if (slot.files.empty()) {
    reader.fail("files", "must name at least one file");
  }
  std::set<std::string> seen;
  for (const std::string& file : slot.files) {
    if (!plain_file_name(file)) {
      reader.fail("files", "\"" + file + "\" must be a plain file name without a folder");
    }
    if (!seen.insert(file).second) {
      reader.fail("files", "names \"" + file + "\" twice");
    }
  }
  reader.finish();
  return slot;
}

std::vector<Step> read_steps(JsonReader& lab, const std::optional<Slot>& slot) {
  std::vector<Step> steps;
  for (JsonReader& reader : lab.objects_or_none("steps")) {
    Step step;
    step.step = reader.integer("step", 1, 99);
    step.title = reader.text("title");
    step.file = reader.text("file");
    step.function = reader.text("function");
    if (!slot ||
        std::find(slot->files.begin(), slot->files.end(), step.file) == slot->files.end()) {
      reader.fail("file", "\"" + step.file + "\" is none of slot.files");
    }
    reader.finish();
    steps.push_back(step);
  }
  return steps;
}

void read_exercise(JsonReader& reader, Exercise& exercise) {
  exercise.name = reader.text("name");
  exercise.points = reader.positive_number("points");
  exercise.concept_name = reader.text("concept");
  exercise.section = reader.text("section");
  exercise.time_limit_s = reader.integer("time_limit_s", 1, 3600);
  exercise.hints = reader.texts("hints");
  for (const std::string& name : reader.texts_or_none("arch")) {
    const std::optional<Architecture> architecture = value_in(architecture_names, name);
    if (!architecture) {
      reader.fail("arch", "\"" + name + "\" must be \"x86_64\" or \"aarch64\"");
    }
    exercise.architectures.push_back(*architecture);
  }
}

Test read_test(JsonReader& reader) {
  Test test;
  read_exercise(reader, test);
  if (std::count(test.name.begin(), test.name.end(), '.') != 1 ||
      test.name.find_first_of("*?:- \t\n") != std::string::npos) {
    reader.fail("name", "\"" + test.name + "\" must be a GoogleTest name, Suite.Name");
  }
  const std::string build = reader.text_or("build", "release");
  const std::optional<BuildKind> kind = value_in(build_names, build);
  if (!kind) {
    reader.fail("build", "\"" + build + "\" must be \"release\", \"tsan\", \"asan\" or \"sim\"");
  }
  test.build = *kind;
  reader.finish();
  return test;
}

std::vector<Test> read_tests(JsonReader& reader) {
  std::vector<Test> tests;
  for (JsonReader& test : reader.objects("tests")) {
    tests.push_back(read_test(test));
  }
  return tests;
}

Benchmark read_benchmark(JsonReader& reader) {
  Benchmark benchmark;
  read_exercise(reader, benchmark);
  benchmark.max_ratio = reader.positive_number("max_ratio");
  benchmark.counter = reader.text_or("counter", "");
  reader.finish();
  return benchmark;
}

void check_names_and_points(const Lab& lab, const JsonReader& reader) {
  std::set<std::string> names;
  double sum = 0;
  const auto visit = [&](const Exercise& exercise, std::string_view key) {
    if (!names.insert(exercise.name).second) {
      reader.fail(key, "the name \"" + exercise.name + "\" stands twice");
    }
    sum += exercise.points;
  };
  for (const Test& test : lab.tests) {
    visit(test, "tests");
  }
  for (const Benchmark& benchmark : lab.benchmarks) {
    visit(benchmark, "benchmarks");
  }
  // A lab that has nothing to write has nothing to grade.
  const bool nothing_to_grade = !lab.slot && lab.tests.empty() && lab.benchmarks.empty();
  if (!nothing_to_grade && std::abs(sum - 100) > 1e-6) {
    reader.fail("tests", "the points of tests and benchmarks sum to " + number(sum) +
                             ", they must sum to 100");
  }
}

std::optional<Slot> slot_of_broken(const std::string& text) {
  try {
    return read_slot(JsonReader(nlohmann::json::parse(text).at("slot"), "", "slot"));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Lab parse_lab(const std::string& text, const std::string& shown, const std::string& folder) {
  const nlohmann::json whole = JsonReader::parse(text, shown);
  JsonReader reader(whole, shown, "");
  Lab lab;
  lab.folder = folder;
  lab.number = reader.integer("number", 0, 99);
  if (lab.number != std::stoi(folder.substr(0, 2))) {
    reader.fail("number", "is " + std::to_string(lab.number) + ", the folder is " + folder);
  }
  lab.title = reader.text("title");
  lab.idea = reader.text("idea");
  if (reader.has("slot")) {
    lab.slot = read_slot(reader.object("slot"));
  }
  lab.steps = read_steps(reader, lab.slot);
  lab.tests = read_tests(reader);
  for (JsonReader& benchmark : reader.objects_or_none("benchmarks")) {
    lab.benchmarks.push_back(read_benchmark(benchmark));
  }
  reader.finish();
  check_names_and_points(lab, reader);
  return lab;
}

std::vector<Test> parse_tests(const std::string& text, const std::string& shown) {
  const nlohmann::json whole = JsonReader::parse(text, shown);
  JsonReader reader(whole, shown, "");
  std::vector<Test> tests = read_tests(reader);
  reader.finish();
  return tests;
}

Lab load_lab(const fs::path& lab_json, const std::string& shown) {
  const std::string folder = lab_json.parent_path().filename();
  std::string text;
  try {
    text = read_file(lab_json);
    return parse_lab(text, shown, folder);
  } catch (const Problem& problem) {
    Lab lab;
    lab.folder = folder;
    lab.number = std::stoi(folder.substr(0, 2));
    lab.title = folder;
    lab.problem = text.empty() ? shown + " is missing or empty" : problem.what();
    lab.slot = slot_of_broken(text);
    return lab;
  }
}

}  // namespace goro::grader
