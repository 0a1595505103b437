// Time, and a thread's pauses. Scheduler code waits through these and futex.h, and in no other way.
#pragma once

#include <cstdint>

namespace goro {

// Nanoseconds of a clock that never goes back. Go: nanotime.
std::int64_t nanotime();

// Lets this thread sleep for at least so many microseconds; the kernel may add some fifty. On a g0
// or on a thread that is not the runtime's. Go: usleep.
void usleep(std::uint32_t microseconds);

// Lets another thread have this processor, if one wants it. Go: osyield.
void osyield();

}  // namespace goro
