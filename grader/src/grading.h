#pragma once

#include <functional>
#include <string>
#include <vector>

#include "course.h"
#include "private_tests.h"
#include "score.h"
#include "submission.h"
#include "terminal.h"
#include "test_run.h"

namespace goro::grader {

struct GradingOptions {
  Seeds seeds = {};
  std::vector<const Lab*> labs;
  std::string preset = "gcc-release";  // the build folder of ordinary tests
  bool tests = true;
  bool benchmarks = true;
  bool own = false;  // labs 1 to N all from the submission
  PrivateTests private_tests = {};
  Sandbox sandbox = Sandbox::none;
  std::vector<std::string> only;  // the tests or benchmarks to run; empty: all
};

// Called as each test ends, from one thread at a time.
using OnResult = std::function<void(const LabScore&, const TestScore&)>;

// The whole way: submission, composition, build, one process per test, verdict, score.
Score grade(const Course& course, const Submission& submission, const GradingOptions& options,
            Terminal& terminal, const OnResult& on_result);

// Whether grade() is at work, so that an interruption loses its results.
bool grading_under_way();

// The preset in which a test that asks for `kind` is built when ordinary tests are in `base`.
std::string preset_for(const std::string& base, BuildKind kind);

// The program that holds a lab's tests.
std::string test_target(const Lab& lab, bool own, bool are_private = false);

// Builds it in `place` with the files in labs/, for a command that runs it in a way of its own.
// Returns why it does not compile, if so.
std::optional<BuildFailure> build_tests_of_labs(const Course& course, const Lab& lab, bool own,
                                                Workspace& place);

}  // namespace goro::grader
