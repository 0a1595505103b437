// The lock that protects the runtime's own state.
//
// Held for a few dozen instructions, and never while anything parks: on an M's g0, on a goroutine's
// stack between acquirem and releasem (services/acquirem.h), or on a thread that is not the
// runtime's. Go's
// runtime mutex (lock_futex.go) sleeps in the kernel when it has to wait; so its unlock must ask,
// with an atomic exchange, whether anybody sleeps, and that is half the price of an uncontended
// pair. Ours is so short that waiting is rare: whoever waits spins, then gives up its processor,
// then naps, and an unlock is one plain store.
#pragma once

#include "contracts/atomic.h"

namespace goro {

class RuntimeMutex {
 public:
  void lock() { lock_looking_every(1); }

  void unlock() { held_.store(false, std::memory_order_release); }

  bool try_lock() { return !held_.exchange(true, std::memory_order_acquire); }

 protected:
  // The one who waits looks again after so many cpu_relax(), then after twice as many, and so on.
  void lock_looking_every(int pauses) {
    // acquire: what the last holder wrote under the lock is visible to this one.
    if (held_.exchange(true, std::memory_order_acquire)) lock_slow(pauses);
  }

  atomic<bool> held_{false};

 private:
  void lock_slow(int pauses);
};

}  // namespace goro
