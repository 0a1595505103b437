// RuntimeMutex: what happens when it is held. Go: lock_futex.go.
#include "contracts/lock.h"

#include <algorithm>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/scheduling.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

namespace {

constexpr int kLongestPause = 32;  // between two looks, in cpu_relax()
constexpr int kYields = 32;
constexpr std::uint32_t kNapMicroseconds = 50;

}  // namespace

void RuntimeMutex::lock_slow(int pauses) {
  // Looked at here only, where it costs nothing: a goroutine that holds the lock and can be asked
  // to give way at its next prologue makes whoever runs next wait for ever.
  const G* gp = getg();
  if (gp != nullptr && gp->stack_kind != StackKind::system && gp->m->locks == 0) {
    fatal("a lock of the runtime is taken on a goroutine's stack, without acquirem");
  }
#if GORO_SIMULATE
  while (sim::active) {
    // Looks first: an exchange counts as a change, and would wake others that wait.
    while (held_.load(std::memory_order_relaxed)) sim::wait_for_change(&held_, sim::Where::here());
    if (!held_.exchange(true, std::memory_order_acquire)) return;
  }
#endif
  for (int round = 0;; ++round) {
    // Looks before it tries again, and more and more seldom: each look takes the cache line from
    // the holder, who may want the lock again at once. Go's lock looks once in 30 pauses; ours is
    // held for less time than that, and two that yield to the GRQ would wait for nothing.
    for (int spun = 0, pause = pauses; spun < kActiveSpin * kActiveSpinCount; spun += pause) {
      for (int i = 0; i < pause; ++i) cpu_relax();
      if (!held_.load(std::memory_order_relaxed) &&
          !held_.exchange(true, std::memory_order_acquire)) {
        return;
      }
      pause = std::min(2 * pause, kLongestPause);
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
