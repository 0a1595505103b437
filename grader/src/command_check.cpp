#include "commands.h"
#include "full_name.h"
#include "grading.h"
#include "last_check.h"
#include "report_terminal.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

std::string Target::base_preset() const {
  if (!preset.empty()) {
    return preset;
  }
  return architecture == "arm64" && host_architecture() != Architecture::aarch64 ? "arm64"
                                                                                 : "gcc-release";
}

namespace {

constexpr std::size_t failures_in_full = 3;

bool is_benchmark(const Lab& lab, const std::string& name) {
  for (const Benchmark& benchmark : lab.benchmarks) {
    if (benchmark.name == name) {
      return true;
    }
  }
  return false;
}

}  // namespace

ExitStatus check(const Course& course, const CheckOptions& options, Terminal& terminal) {
  const Lab& lab = course.lab(options.lab);
  if (!lab.has_exercises()) {
    terminal.print("Lab " + lab.number_text() + " has nothing to check: read labs/" + lab.folder +
                   "/README.md and try what it says.");
    return ExitStatus::all_points;
  }
  GradingOptions grading;
  grading.labs = {&lab};
  grading.preset = options.target.base_preset();
  grading.own = options.own;
  grading.seeds = options.seeds;
  grading.benchmarks = options.benchmarks;
  if (!options.test.empty()) {
    grading.only = full_names(lab, options.test);
    grading.benchmarks = is_benchmark(lab, grading.only.front());
  }
  const Submission labs(course.root() / "labs", course);
  terminal.print(terminal.style().strong("Lab " + lab.number_text() + ": " + lab.title) + "\n" +
                 terminal.style().quiet(trim_right(wrap(lab.idea, terminal.width()))));
  const std::size_t names = name_columns({&lab}, terminal.width());
  const Score score =
      grade(course, labs, grading, terminal, [&](const LabScore& of, const TestScore& test) {
        // What does not compile is said once, in the end, and not by a line per test.
        if (of.problem.empty()) {
          terminal.print(result_line(test, terminal.style(), names));
        }
      });
  const LabScore& lab_score = score.labs.front();
  if (lab_score.tests.empty()) {
    throw wrong_use(join(grading.only, ", ") + " does not run in build/" + grading.preset);
  }
  if (!options.seeds.seed && grading.preset == Target{}.base_preset()) {
    LastCheck(course, options.own).keep(lab, lab_score);
  }
  const std::size_t most =
      options.verbose || !options.test.empty() ? lab_score.tests.size() : failures_in_full;
  terminal.print(check_summary(lab, lab_score, most, terminal.style(), terminal.width()));
  if (options.test.empty() && !options.benchmarks && !lab.benchmarks.empty() &&
      lab_score.all_points()) {
    terminal.print("The lab's benchmarks are not in this; run ./course check " +
                   std::to_string(lab.number) + " --bench");
  }
  return score.all_points() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
