#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sandbox.h"
#include "verdict.h"

namespace goro::grader {

// A benchmark's time as a multiple of the reference's, and the plausible range.
struct Ratio {
  double value = 0;
  double low = 0;
  double high = 0;
};

// One test's or benchmark's place in the grade.
struct TestScore {
  std::string name;
  bool benchmark = false;
  bool is_private = false;
  bool withheld = false;  // a private one of which only the points are told: for_students()
  Status status = Status::not_run;
  double points = 0;
  double max_points = 0;
  std::string message;
  std::string concept_name;
  std::string section;  // "labs/04-local-run-queue/README.md#step-3-overflow"
  std::string again;    // the command that checks this alone
  std::string debug;    // the command that runs this alone under the debugger
  double seconds = 0;
  std::optional<Ratio> ratio;       // of a benchmark that could be measured
  std::optional<int> missing_step;  // the step whose function it met unimplemented
  std::optional<int> missing_lab;   // whose step that is, if not of the lab that was checked
  std::optional<int> time_limit_s;  // that it exceeded
  bool broke_off = false;           // as Verdict::broke_off
  std::string innermost;  // then the submission's function innermost on the stack, if known
};

struct LabScore {
  int number = 0;
  std::string lab;  // "04-local-run-queue"
  std::string title;
  std::string problem;  // why nothing of the lab could be run, if so
  std::vector<TestScore> tests;
  double of_other_architectures = 0;  // points for tests that do not count on this one

  // An inconclusive benchmark is in neither sum: it is nobody's fault.
  [[nodiscard]] double score() const;
  [[nodiscard]] double max_score() const;
  [[nodiscard]] bool all_points() const;
  [[nodiscard]] std::size_t inconclusive() const;
  // Of which so much is for private tests.
  [[nodiscard]] double private_score() const;
  // Every test that ran met a function that is not written yet.
  [[nodiscard]] bool untouched() const;
  // What did not pass, the most telling first: what says itself what is wrong before what crashed
  // or hung, which may be anything's fault; earlier steps first; then lab.json's order. Tests that
  // met a function that is not written come after those, and last what was not run.
  [[nodiscard]] std::vector<const TestScore*> most_telling() const;
};

// The grade of a submission; everything a report says is in it.
struct Score {
  std::string submission;
  std::string architecture;
  std::string compiler;
  bool own = false;
  Sandbox sandbox = Sandbox::none;  // that the submission's code ran in
  double seconds = 0;
  std::vector<LabScore> labs;

  [[nodiscard]] double score() const;
  [[nodiscard]] double max_score() const;
  [[nodiscard]] bool all_points() const;
};

// What students may know: of each private test a number, how it ended, and its points.
Score for_students(Score score);

}  // namespace goro::grader
