// Counter and waiters in one word, so that "the counter is 0 and so many wait" is seen in one look.
#include "contracts/services/waiting.h"
#include "contracts/sync.h"

namespace goro {

namespace {

constexpr int kCounterShift = 32;

std::int32_t counter_of(std::uint64_t state) {
  return static_cast<std::int32_t>(state >> kCounterShift);
}

std::uint32_t waiters_of(std::uint64_t state) {
  return static_cast<std::uint32_t>(state);
}

}  // namespace

void wait_group_add(WaitGroupWords* wg, int delta) {
  const auto change = static_cast<std::uint64_t>(static_cast<std::int64_t>(delta)) << kCounterShift;
  // acq_rel: what was done before the last done() happens before wait() returns.
  const std::uint64_t state = wg->state.fetch_add(change, std::memory_order_acq_rel) + change;
  const std::int32_t counter = counter_of(state);
  std::uint32_t waiters = waiters_of(state);
  if (counter < 0) throw_panic("sync: negative WaitGroup counter");
  if (waiters != 0 && delta > 0 && counter == delta) {
    throw_panic("sync: WaitGroup misuse: Add called concurrently with Wait");
  }
  if (counter > 0 || waiters == 0) return;
  // The counter is 0 and somebody waits: from here on nobody may add, and whoever comes to wait
  // need not. So nothing changes but by misuse.
  if (wg->state.load(std::memory_order_relaxed) != state) {
    throw_panic("sync: WaitGroup misuse: Add called concurrently with Wait");
  }
  wg->state.store(0, std::memory_order_release);
  for (; waiters != 0; --waiters) semrelease1(&wg->sema, false);
}

void wait_group_wait(WaitGroupWords* wg) {
  std::uint64_t state = wg->state.load(std::memory_order_acquire);
  for (;;) {
    if (counter_of(state) == 0) return;
    if (wg->state.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire)) {
      break;
    }
  }
  semacquire1(&wg->sema, false, WaitReason::sync_waitgroup_wait);
  if (wg->state.load(std::memory_order_relaxed) != 0) {
    throw_panic("sync: WaitGroup is reused before previous Wait has returned");
  }
}

}  // namespace goro
