#pragma once

#include <ostream>

#include "trace_file.h"

namespace goro::grader {

// Writes the trace as ui.perfetto.dev and chrome://tracing read it: a track for every P and every M
// with slices in which a goroutine runs, instants where one is made runnable or parks, arrows from
// who made it runnable to where it runs, and counters.
TraceSummary write_trace_json(const TraceFile& file, std::ostream& out);

}  // namespace goro::grader
