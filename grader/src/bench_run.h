#pragma once

#include <functional>
#include <string>

#include "bench_stats.h"
#include "lab.h"
#include "workspace.h"

namespace goro::grader {

struct BenchResult {
  Status status = Status::not_run;
  RatioEstimate estimate;
  std::string message;
  double seconds = 0;
};

// Runs the submission's and the reference's program in turns, in rounds, until the ratio is clear.
// `on_round` hears after each round what is known so far.
BenchResult run_benchmark(const Workspace& workspace, const fs::path& student,
                          const fs::path& reference, const Benchmark& benchmark,
                          const std::function<void(const RatioEstimate&)>& on_round);

}  // namespace goro::grader
