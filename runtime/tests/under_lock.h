// What only sched.lock lets one see.
#pragma once

#include "contracts/model.h"
#include "goro/system_stack.h"

namespace goro::testing {

// A field of sched that is protected by sched.lock; from a goroutine.
template <typename T>
T under_lock(const T& field) {
  return on_system_stack([&] {
    sched.lock.lock();
    const T value = field;
    sched.lock.unlock();
    return value;
  });
}

}  // namespace goro::testing
