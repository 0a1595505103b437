// The atomics that slots and frame use.
//
// An alias for std::atomic, so that a slot reads like ordinary C++. It is a name of its own because
// a build that explores schedules (GORO_SIMULATE) makes every atomic access a point where threads
// switch.
#pragma once

#if GORO_SIMULATE

#include "simulation/atomic.h"

namespace goro {

template <typename T>
using atomic = sim::Atomic<T>;

}  // namespace goro

#else

#include <atomic>

namespace goro {

template <typename T>
using atomic = std::atomic<T>;

}  // namespace goro

#endif
