// What the main function of every benchmark program calls.
#pragma once

#include <benchmark/benchmark.h>

#include <sstream>

#include "testing/private_line.h"

namespace goro::testing {

// Where somebody grades, the report goes there and nowhere else: what a slot prints or writes to a
// file is no report.
inline void run_benchmarks() {
  if (private_line() < 0) {
    benchmark::RunSpecifiedBenchmarks();
    return;
  }
  std::ostringstream report;
  benchmark::JSONReporter reporter;
  reporter.SetOutputStream(&report);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  tell("\"event\":\"measured\",\"report\":" + json_string(report.str()));
}

}  // namespace goro::testing
