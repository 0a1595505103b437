// GORO_DEBUG=schedtrace=MS,scheddetail=1.
#pragma once

#include <cstdint>

namespace goro {

// Nanoseconds between two lines; 0: none are wanted.
std::int64_t schedtrace_interval();

// Prints a line if the last one is an interval old (the first at once). By sysmon, with no lock
// held.
void schedtrace_if_due(std::int64_t now);

}  // namespace goro
