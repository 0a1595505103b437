#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "files.h"
#include "frame/trace_format.h"

namespace goro::grader {

// Something that one M recorded. Switches are taken apart: a stop, then a start.
struct TraceEvent {
  double ns = 0;  // since the first run began
  std::int64_t m = 0;
  trace::Kind kind = trace::Kind::time;
  std::uint8_t argument = 0;
  std::uint64_t id = 0;
  std::uint32_t number = 0;  // of a goroutine's stop: that of its event before
};

struct TraceRun {
  double first_ns = 0;
  double last_ns = 0;
  std::uint32_t procs = 0;
  std::uint64_t lost = 0;
  bool cut_off = false;
  // In an order in which it can have happened: each M's in its order, each goroutine's by number,
  // and otherwise by time. Times never go back on an M, nor for a goroutine.
  std::vector<TraceEvent> events;
};

struct TraceFile {
  std::vector<std::string> reasons;  // what a goroutine can wait for, by number
  std::vector<TraceRun> runs;
};

struct TraceSummary {
  std::size_t runs = 0;
  std::size_t events = 0;
  std::size_t goroutines = 0;
  std::uint64_t lost = 0;
  bool cut_off = false;
};
TraceSummary summary_of(const TraceFile& file);

// Reads what a program wrote that ran with GORO_TRACE=path. A file that ends too early gives what
// it has; one that is no trace is a Problem.
TraceFile read_trace(const fs::path& path);

}  // namespace goro::grader
