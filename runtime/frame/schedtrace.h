#pragma once

#include <cstdint>

namespace goro {

// A run begins: its first line is due at once, and says 0 ms.
void schedtrace_reset();

// How often this run has printed. For whoever wants to be seen. From any thread.
std::int64_t schedtrace_count();

}  // namespace goro
