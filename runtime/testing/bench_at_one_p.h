// The main function of a benchmark program whose benchmarks are run by goroutine 1, at one P.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

#include "goro/goro.h"
#include "testing/run_benchmarks.h"

namespace goro::testing {

inline int run_benchmarks_at_one_p(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  return run(
      [] {
        run_benchmarks();
        return 0;
      },
      {.procs = 1, .main_stack = std::size_t{8} << 20});
}

}  // namespace goro::testing
