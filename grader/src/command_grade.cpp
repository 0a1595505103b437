#include <array>
#include <cstdio>
#include <functional>
#include <utility>

#include "commands.h"
#include "grading.h"
#include "last_check.h"
#include "report_json.h"
#include "report_junit.h"
#include "report_markdown.h"
#include "report_terminal.h"
#include "text.h"

namespace goro::grader {

namespace {

using Format = std::string (*)(const Score&);

constexpr std::array<std::pair<std::string_view, Format>, 3> formats{{
    {"json", report_json},
    {"junit", report_junit},
    {"markdown", report_markdown},
}};

struct WantedReport {
  Format format;
  std::string file;
};

WantedReport parse_report(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  std::vector<std::string> names;
  for (const auto& [known, format] : formats) {
    names.emplace_back(known);
    if (known == name && equals != std::string::npos && equals + 1 < argument.size()) {
      return {format, argument.substr(equals + 1)};
    }
  }
  throw wrong_use("--report " + argument + ": write FORMAT=FILE, FORMAT one of " +
                  join(names, ", ") + ", FILE - for stdout");
}

}  // namespace

bool reports_to_stdout(const GradeOptions& options) {
  for (const std::string& report : options.reports) {
    if (report.ends_with("=-")) {
      return true;
    }
  }
  return false;
}

ExitStatus grade_all(const Course& course, const GradeOptions& options, Terminal& terminal) {
  std::vector<WantedReport> reports;
  for (const std::string& argument : options.reports) {
    reports.push_back(parse_report(argument));
  }
  const Submission submission = Submission::open(options.submission, course);
  GradingOptions grading;
  grading.labs = course.select(options.labs);
  grading.preset = options.target.base_preset();
  grading.benchmarks = options.benchmarks;
  grading.own = options.own;
  const std::size_t names = name_columns(grading.labs, terminal.width());
  const Score score =
      grade(course, submission, grading, terminal, [&](const LabScore& lab, const TestScore& test) {
        // A lab that does not compile or is not begun is one line of the table, not one per test.
        if (test.status != Status::passed && !test.missing_step && lab.problem.empty()) {
          terminal.print(lab.lab.substr(0, 2) + result_line(test, terminal.style(), names));
        }
      });
  // Written before anything is said, so that whoever reads the end of the output finds them.
  for (const WantedReport& report : reports) {
    const std::string text = report.format(score);
    if (report.file == "-") {
      terminal.clear_progress();
      (void)std::fwrite(text.data(), 1, text.size(), stdout);
      (void)std::fflush(stdout);
    } else {
      write_file_atomically(report.file, text);
    }
  }
  if (options.submission == "labs" && grading.preset == Target{}.base_preset()) {
    for (std::size_t i = 0; i < score.labs.size(); ++i) {
      LastCheck(course, options.own).keep(*grading.labs[i], score.labs[i]);
    }
  }
  for (const LabScore& lab : score.labs) {
    if (!lab.problem.empty()) {
      terminal.print("\n" + terminal.style().bad(lab.lab) + "\n" + indent(lab.problem, "  "));
      continue;
    }
    for (const TestScore* test : lab.most_telling()) {
      if (!test->missing_step && test->status != Status::not_run) {
        terminal.print("\n" + terminal.style().strong(lab.lab) + "\n" +
                       failure_prose(lab, *test, terminal.style(), terminal.width()));
      }
    }
  }
  terminal.print("\n" + score_table(score, terminal.style()));
  return score.all_points() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
