// The lock that protects the scheduler's own state.
//
// Held for a few dozen instructions, only on an M's g0, and never while anything parks. Three states, as Go's lock_futex.go: free, held, held with sleepers; so
// an uncontended lock and unlock make no system call.
#pragma once

#include "contracts/atomic.h"

namespace goro {

class RuntimeMutex {
 public:
  void lock() {
    int expected = kFree;
    // acquire: what the last holder wrote under the lock is visible to this one.
    if (!state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      lock_slow();
    }
  }

  void unlock() {
    if (state_.exchange(kFree, std::memory_order_release) == kSleepers) wake_one();
  }

  bool try_lock() {
    int expected = kFree;
    return state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }

 private:
  static constexpr int kFree = 0;
  static constexpr int kHeld = 1;
  static constexpr int kSleepers = 2;

  void lock_slow();
  void wake_one();

  atomic<int> state_{kFree};
};

}  // namespace goro
