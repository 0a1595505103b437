#include "commands.h"
#include "edition.h"
#include "grading.h"
#include "last_check.h"
#include "problem.h"
#include "report_terminal.h"
#include "reports.h"
#include "text.h"

namespace goro::grader {

ExitStatus grade_all(const Course& course, const GradeOptions& options, Terminal& terminal) {
  const Reports reports(options.reports);
  if (options.submission == "solutions") {
    require_course(course, "grade --submission solutions");
  }
  const Submission submission = Submission::open(options.submission, course);
  GradingOptions grading;
  grading.labs = course.select(options.labs);
  grading.preset = options.target.base_preset();
  grading.benchmarks = options.benchmarks;
  grading.own = options.own;
  if (!options.tests.empty()) {
    grading.private_tests = PrivateTests(options.tests, course, grading.labs);
  }
  const bool tell = options.private_details != "nowhere";
  std::string notice;
  grading.sandbox = choose_sandbox(options.sandbox, notice);
  if (!notice.empty()) {
    terminal.print(terminal.style().warning(notice));
  }
  const std::size_t names = name_columns(grading.labs, terminal.width());
  const Score all =
      grade(course, submission, grading, terminal, [&](const LabScore& lab, const TestScore& test) {
        // A lab that does not compile or is not begun is one line of the table, not one per test.
        if (test.status != Status::passed && !test.missing_step && lab.problem.empty() &&
            (tell || !test.is_private)) {
          terminal.print(lab.lab.substr(0, 2) + result_line(test, terminal.style(), names));
        }
      });
  // Written before anything is said, so that whoever reads the end of the output finds them.
  terminal.clear_progress();
  const std::vector<std::string> unwritten =
      reports.write(options.private_details == "everywhere" ? all : for_students(all));
  const Score score = tell ? all : for_students(all);
  // A check knows no private tests, so their results would stay with it for ever.
  if (options.submission == "labs" && options.tests.empty() &&
      grading.preset == Target{}.base_preset()) {
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
  if (!unwritten.empty()) {
    throw broken(join(unwritten, "; "));
  }
  return score.all_points() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
