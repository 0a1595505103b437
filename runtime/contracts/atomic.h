// The atomics that slots and frame use.
//
// An alias for std::atomic, so that a slot reads like ordinary C++. It is a name of its own because
// a build that explores schedules can then make every atomic access a point where threads switch.
#pragma once

#include <atomic>

namespace goro {

template <typename T>
using atomic = std::atomic<T>;

}  // namespace goro
