// The atomics inside objects of the library that programs hold: std::atomic, but in the build that
// explores schedules.
#pragma once

#if GORO_SIMULATE

#include "simulation/atomic.h"

namespace goro::detail {
template <typename T>
using Atomic = sim::Atomic<T>;
}  // namespace goro::detail

#else

#include <atomic>

namespace goro::detail {
template <typename T>
using Atomic = std::atomic<T>;
}  // namespace goro::detail

#endif
