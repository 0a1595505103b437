#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "commands.h"
#include "full_name.h"
#include "grading.h"
#include "process.h"
#include "text.h"
#include "trace_json.h"
#include "workspace.h"

namespace goro::grader {

namespace {

struct Traced {
  std::vector<std::string> command;
  std::string name;  // of the files
};

bool is_lab(const std::string& what) {
  return !what.empty() && std::all_of(what.begin(), what.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Letters and digits stay.
std::string file_name(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  }
  return text;
}

Traced build_lab(const Course& course, const TraceOptions& options, Workspace& place,
                 Terminal& terminal) {
  const Lab& lab = course.lab(options.what);
  if (!lab.has_exercises()) {
    throw wrong_use("lab " + lab.number_text() + " has no tests to trace");
  }
  if (options.arguments.size() > 1) {
    throw wrong_use("./course trace " + options.what + " takes one test, or none for all of them");
  }
  const std::string test =
      options.arguments.empty() ? std::string() : full_name(lab, options.arguments.front());
  if (const auto failed = build_tests_of_labs(course, lab, options.own, place)) {
    terminal.print(failed->errors);
    throw Problem(failed->in_submission ? ExitStatus::points_missing : ExitStatus::broken,
                  "lab " + lab.number_text() + " does not compile");
  }
  Traced traced{place.launcher(), lab.number_text()};
  traced.command.push_back(place.program(test_target(lab, options.own)).string());
  if (!test.empty()) {
    traced.command.push_back("--gtest_filter=" + test);
    traced.name += "-" + test;
  }
  return traced;
}

void tell(const TraceSummary& summary, const fs::path& json, int status, Terminal& terminal) {
  if (status != 0) {
    terminal.print("The program ended with status " + std::to_string(status) + ".");
  }
  std::string line = count(summary.events, "event") + " of " +
                     count(summary.goroutines, "goroutine") + " in " + count(summary.runs, "run");
  if (summary.cut_off) {
    line += ", the last one cut off";
  }
  terminal.print(line + ": " + shown_path(json, fs::current_path()));
  if (summary.lost != 0) {
    terminal.print(count(summary.lost, "earlier event") +
                   " had to make room for them; the trace shows the end.");
  }
  terminal.print(
      "Open it in https://ui.perfetto.dev (it stays on your machine) or in "
      "chrome://tracing; docs/tracing.md says what is there to see.");
}

}  // namespace

ExitStatus trace(const Course& course, const TraceOptions& options, Terminal& terminal) {
  const fs::path folder = course.root() / "build" / "traces";
  fs::create_directories(folder);
  Traced traced;
  std::optional<Workspace> place;  // nobody builds there while the program runs
  if (is_lab(options.what)) {
    place.emplace(course, options.preset, terminal);
    traced = build_lab(course, options, *place, terminal);
  } else {
    traced.name = fs::path(options.what).filename().string();
    traced.command = {options.what};
    traced.command.insert(traced.command.end(), options.arguments.begin(), options.arguments.end());
  }
  const fs::path records = folder / (file_name(traced.name) + ".trace");
  const fs::path json = options.output.empty() ? folder / (file_name(traced.name) + ".json")
                                               : fs::path(options.output);
  fs::remove(records);
  terminal.clear_progress();
  ::setenv("GORO_TRACE", records.c_str(), 1);
  const int status = run_in_front(traced.command);
  ::unsetenv("GORO_TRACE");
  if (!fs::exists(records)) {
    throw wrong_use(options.what +
                    " recorded nothing: it called goro::run not once, is not linked "
                    "with this goro, or was killed (status " +
                    std::to_string(status) + ")");
  }
  const TraceFile file = read_trace(records);
  std::ofstream out(json);
  const TraceSummary summary = write_trace_json(file, out);
  out.close();
  if (!out) {
    throw broken(json.string() + " cannot be written");
  }
  fs::remove(records);
  tell(summary, json, status, terminal);
  return status == 0 ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
