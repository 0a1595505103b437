// The slow ways of a mutex.
//
// Two modes. In the normal one, whoever is quick has the mutex: a goroutine that runs already, and
// comes by at the right moment, beats one that has to be woken first. That is good for throughput,
// and can keep a waiter waiting for ever. So a waiter that has waited for a millisecond switches
// the mutex to starvation mode: newcomers queue up at the tail without trying, and unlock hands the
// mutex to the first in line. The one that finds itself last in line, or has waited less, switches
// back.
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "contracts/sync.h"

namespace goro {

namespace {

constexpr std::int32_t kOneWaiter = 1 << kMutexWaiterShift;

std::int64_t time_now() {
  std::int64_t time = 0;
  systemstack([&] { time = nanotime(); });
  return time;
}

// The mutex was handed to this goroutine by the one that unlocked it. Only the state does not say
// so yet.
void take_over(MutexWords* m, std::int32_t old, bool starving) {
  if ((old & (kMutexLocked | kMutexWoken)) != 0 || old < kOneWaiter) {
    fatal("sync: inconsistent mutex state");
  }
  std::int32_t change = kMutexLocked - kOneWaiter;
  if (!starving || old >> kMutexWaiterShift == 1) change -= kMutexStarving;
  m->state.fetch_add(change, std::memory_order_acquire);
}

}  // namespace

// [lock_slow]
void mutex_lock_slow(MutexWords* m) {
  std::int64_t waiting_since = 0;
  bool starving = false;
  bool awoke = false;  // the woken bit is ours
  int tries = 0;
  stand_back(m);
  std::int32_t old = m->state.load(std::memory_order_relaxed);
  for (;;) {
    // In starvation mode spinning is in vain: the mutex goes to somebody else.
    if ((old & (kMutexLocked | kMutexStarving)) == kMutexLocked && can_spin(tries)) {
      // Tell unlock that it need not wake anyone: we are here.
      if (!awoke && (old & kMutexWoken) == 0 && old >= kOneWaiter &&
          m->state.compare_exchange_strong(old, old | kMutexWoken, std::memory_order_relaxed)) {
        awoke = true;
      }
      do_spin();
      ++tries;
      old = m->state.load(std::memory_order_relaxed);
      continue;
    }
    std::int32_t next = old;
    if ((old & kMutexStarving) == 0) next |= kMutexLocked;
    if ((old & (kMutexLocked | kMutexStarving)) != 0) next += kOneWaiter;
    // Only a locked one: an unlocked one in starvation mode must have waiters.
    if (starving && (old & kMutexLocked) != 0) next |= kMutexStarving;
    if (awoke) {
      if ((next & kMutexWoken) == 0) fatal("sync: inconsistent mutex state");
      next &= ~kMutexWoken;
    }
    // acquire: it may be the exchange that locks.
    if (!m->state.compare_exchange_strong(old, next, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
      // Somebody else is at it this very moment. If both try again at once, the word moves from one
      // processor's cache to the other's with every try.
      stand_back(m);
      old = m->state.load(std::memory_order_relaxed);
      continue;
    }
    if ((old & (kMutexLocked | kMutexStarving)) == 0) return;

    const bool waits_again = waiting_since != 0;
    if (!waits_again) waiting_since = time_now();
    semacquire1(&m->sema, waits_again, WaitReason::sync_mutex_lock);
    starving = starving || time_now() - waiting_since > kStarvationThreshold;
    old = m->state.load(std::memory_order_relaxed);
    if ((old & kMutexStarving) != 0) return take_over(m, old, starving);
    awoke = true;
    tries = 0;
  }
}
// [/lock_slow]

void mutex_unlock_slow(MutexWords* m, std::int32_t now) {
  if (((now + kMutexLocked) & kMutexLocked) == 0) fatal("sync: unlock of unlocked mutex");
  if ((now & kMutexStarving) != 0) {
    semrelease1(&m->sema, true);
    return;
  }
  std::int32_t old = now;
  // Nobody to wake; or somebody has the mutex, or is awake and wants it, and will see to the rest.
  while (old >= kOneWaiter && (old & (kMutexLocked | kMutexWoken | kMutexStarving)) == 0) {
    if (m->state.compare_exchange_weak(old, (old - kOneWaiter) | kMutexWoken,
                                       std::memory_order_relaxed)) {
      semrelease1(&m->sema, false);
      return;
    }
  }
}

}  // namespace goro
