// RuntimeMutex and Note on the kernel's futex. Go: lock_futex.go.
#include "contracts/lock.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "contracts/model.h"
#include "contracts/services/fatal.h"
#include "contracts/services/scheduling.h"

namespace goro {

namespace {

// Go: active_spin, active_spin_cnt, passive_spin.
constexpr int kActiveSpin = 4;
constexpr int kActiveSpinCount = 30;
constexpr int kPassiveSpin = 1;

template <typename Word>
void futex_wait(atomic<Word>* word, Word expected) {
  static_assert(sizeof(Word) == 4);
  // Woken, interrupted, or the value was another already: the caller looks again in every case.
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

template <typename Word>
void futex_wake(atomic<Word>* word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace

void RuntimeMutex::lock_slow() {
  int wait = kHeld;
  for (;;) {
    for (int i = 0; i < kActiveSpin + kPassiveSpin; ++i) {
      int expected = kFree;
      // `wait`: once we have slept, others may sleep too, so we take the lock as "held with sleepers".
      if (state_.load(std::memory_order_relaxed) == kFree &&
          state_.compare_exchange_strong(expected, wait, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
        return;
      }
      if (i < kActiveSpin) {
        for (int n = 0; n < kActiveSpinCount; ++n) cpu_relax();
      } else {
        sched_yield();
      }
    }
    if (state_.exchange(kSleepers, std::memory_order_acquire) == kFree) return;
    wait = kSleepers;
    futex_wait(&state_, kSleepers);
  }
}

void RuntimeMutex::wake_one() {
  futex_wake(&state_, 1);
}

void Note::wakeup() {
  if (key_.exchange(1, std::memory_order_release) != 0) fatal("notewakeup - double wakeup");
  futex_wake(&key_, 1);
}

void Note::sleep() {
  while (key_.load(std::memory_order_acquire) == 0) futex_wait(&key_, std::uint32_t{0});
}

}  // namespace goro
