#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab.h"
#include "process.h"
#include "verdict.h"
#include "workspace.h"

namespace goro::grader {

// The little that a test's process is told about the world: what is set in the shell of whoever
// grades must not change a grade.
std::vector<std::string> test_environment(const fs::path& scratch);

// What keeps a submission's program in bounds besides its time: the same for tests and benchmarks.
Limits limits_of(const Workspace& workspace, std::chrono::seconds time);

// The exercise's time limit; longer where programs run slower than in the build that it was written
// for, since lab.json states the limit for that one.
std::chrono::seconds time_limit(const Exercise& exercise, BuildKind written_for,
                                const Workspace& workspace);

// Which random schedules a test goes through, when the user does not leave it to the test.
struct Seeds {
  std::optional<std::uint64_t> seed;   // this one only
  std::optional<std::uint64_t> count;  // so many
};

struct TestResult {
  Verdict verdict;  // its message complete, crash frames symbolized
  double seconds = 0;
  std::string innermost;  // the submission's function innermost on the stack, if it broke off there
};

// Runs one test in a process of its own and judges what happened. `users_path` turns a place in a
// crash into the path that the user knows.
TestResult run_test(const Workspace& workspace, const fs::path& program, const Test& test,
                    std::chrono::seconds limit,
                    const std::function<std::string(std::string)>& users_path,
                    const Seeds& seeds = {});

}  // namespace goro::grader
