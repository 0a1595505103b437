// RuntimeMutex: what happens when it is held. Go: lock_futex.go.
#include "contracts/lock.h"

#include "contracts/services/clock.h"
#include "contracts/services/scheduling.h"

namespace goro {

namespace {

// Go: active_spin, active_spin_cnt.
constexpr int kActiveSpin = 4;
constexpr int kActiveSpinCount = 30;
constexpr int kYields = 32;
constexpr std::uint32_t kNapMicroseconds = 50;

}  // namespace

void RuntimeMutex::lock_slow() {
  for (int round = 0;; ++round) {
    // Looks before it tries again: an exchange would take the cache line from the holder.
    for (int i = 0; i < kActiveSpin * kActiveSpinCount; ++i) {
      if (!held_.load(std::memory_order_relaxed) &&
          !held_.exchange(true, std::memory_order_acquire)) {
        return;
      }
      cpu_relax();
    }
    // The holder has lost its processor, perhaps to us.
    if (round < kYields) {
      osyield();
    } else {
      usleep(kNapMicroseconds);
    }
  }
}

}  // namespace goro
