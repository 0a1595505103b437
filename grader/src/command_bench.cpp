#include "commands.h"
#include "grading.h"
#include "last_check.h"
#include "report_terminal.h"
#include "text.h"

namespace goro::grader {

ExitStatus bench(const Course& course, const BenchOptions& options, Terminal& terminal) {
  if (options.with_peers.wanted) {
    if (!options.lab.empty()) {
      throw wrong_use("--peers is of the finished runtime, not of lab " + options.lab);
    }
    return peers(course, options.with_peers, terminal);
  }
  if (options.board) {
    if (!options.lab.empty()) {
      throw wrong_use("--board is of all labs; --labs " + options.lab + " leaves the others out");
    }
    return board(course, options, terminal);
  }
  if (options.lab.empty()) {
    throw wrong_use("which lab? ./course bench 4, or ./course bench --board for all, or --peers");
  }
  const Lab& lab = course.lab(options.lab);
  if (lab.benchmarks.empty()) {
    terminal.print("Lab " + lab.number_text() + " has no benchmarks.");
    return ExitStatus::all_points;
  }
  GradingOptions grading;
  grading.labs = {&lab};
  grading.tests = false;
  const Submission labs(course.root() / "labs", course);
  terminal.print(terminal.style().strong("Lab " + lab.number_text() + ": " + lab.title) +
                 "  benchmarks");
  const std::size_t names = name_columns({&lab}, terminal.width());
  const Score score =
      grade(course, labs, grading, terminal, [&](const LabScore&, const TestScore& test) {
        terminal.print(result_line(test, terminal.style(), names) + "\n" +
                       indent(wrap(test.message, terminal.width() - 6), "      "));
      });
  LastCheck(course).keep(lab, score.labs.front());
  return score.all_points() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
