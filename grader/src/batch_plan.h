#pragma once

#include <string>
#include <vector>

#include "course.h"
#include "files.h"

namespace goro::grader {

// One submission of a class.
struct BatchEntry {
  std::string name;    // "alice"; one line, fit for a terminal
  std::string source;  // as Submission::open takes it
};

// What is graded, with what, and where the results go. The tasks of a batch, here or on other
// machines, read it from the output folder.
struct BatchPlan {
  fs::path out;
  std::vector<BatchEntry> entries;  // by name
  std::string labs;                 // as Course::select takes it
  bool benchmarks = true;
  bool own = false;
  bool sandbox_required = false;
  std::string preset;
  std::string tests;         // the folder of private tests; empty: there are none
  std::string tests_digest;  // PrivateTests::digest()
  std::string course;        // its digest

  // What besides a submission and the course decides about a grade. Two results with the same
  // settings can stand in one table.
  [[nodiscard]] std::string settings() const;
};

std::string plan_to_json(const BatchPlan& plan);
BatchPlan plan_from_json(const std::string& text);

// The submissions in `place`: all folders and archives in a folder, or what the lines of a list
// name, "SOURCE" or "NAME<tab>SOURCE", paths being relative to the list. What lies in the folder
// and is no submission is in `left_out`. `out` is not looked at, if it is in there.
std::vector<BatchEntry> find_submissions(const fs::path& place, const Course& course,
                                         const fs::path& out, std::vector<std::string>& left_out);

// A submission's name as a part of file names: what could be more than a name is escaped, and no
// two names become one.
std::string file_name_of(const std::string& name);

}  // namespace goro::grader
