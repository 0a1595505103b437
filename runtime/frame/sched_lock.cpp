// The scheduler's lock at one P: the holder's own, or anybody's.
#include "contracts/sched_lock.h"

#if GORO_ONE_P

#include "contracts/getg.h"
#include "frame/one_p.h"
#include "frame/waiting.h"

namespace goro {

namespace {

// How often the holder meets nobody before the lock is its own. To end that costs a system call,
// and an interrupt on the holder's processor: as much as a hundred exchanges.
constexpr std::uint8_t kUndisturbed = 200;

// Between two goroutines, so on g0, and in no system call.
inline bool schedules(const M* mp) {
  return mp != nullptr && mp->p != nullptr && mp->curg.load(std::memory_order_relaxed) == nullptr;
}

// An M in a system call has its P until somebody takes it.
bool holds_p(const M* mp) {
  return mp != nullptr && mp->p != nullptr && !is_outside();
}

}  // namespace

void SchedLock::may_be_the_holders() {
  whose_.store(Whose::anybodys, std::memory_order_seq_cst);
}

// In the scheduler no signal makes us give way, and nobody else has the P until we give it up.
inline bool SchedLock::take_as_holder() {
  entering_.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  bool taken = false;
  if (whose_.load(std::memory_order_relaxed) == Whose::holders &&
      !held_.load(std::memory_order_acquire)) {
    held_.store(true, std::memory_order_relaxed);
    taken = true;
  }
  // release: whoever finds nobody entering finds the lock held.
  entering_.store(false, std::memory_order_release);
  return taken;
}

void SchedLock::lock_at_one_p() {
  if (schedules(getm()) && take_as_holder()) [[likely]]
    return;
  lock_with_exchange();
}

__attribute__((noinline)) void SchedLock::lock_with_exchange() {
  const bool holder = holds_p(getm());
  if (!holder) come_without_p();
  RuntimeMutex::lock();
  if (holder) {
    if (++undisturbed_ == kUndisturbed) make_it_the_holders();
  } else {
    undisturbed_ = 0;
    // release: who finds that we have gone finds the lock held, or what was done under it.
    without_p_.fetch_sub(1, std::memory_order_release);
  }
}

bool SchedLock::try_lock_at_one_p() {
  if (holds_p(getm())) return RuntimeMutex::try_lock();
  come_without_p();
  const bool taken = RuntimeMutex::try_lock();
  without_p_.fetch_sub(1, std::memory_order_release);
  return taken;
}

// With the lock in hand.
__attribute__((noinline)) void SchedLock::make_it_the_holders() {
  undisturbed_ = 0;
  if (!may_ask_for_barriers()) return;
  Whose was = Whose::anybodys;
  if (!whose_.compare_exchange_strong(was, Whose::holders, std::memory_order_seq_cst)) return;
  // Nobody has used that yet, since the lock is ours: it can be taken back without a barrier.
  was = Whose::holders;
  if (without_p_.load(std::memory_order_seq_cst) != 0) {
    whose_.compare_exchange_strong(was, Whose::anybodys, std::memory_order_seq_cst);
  }
}

__attribute__((noinline)) void SchedLock::come_without_p() {
  without_p_.fetch_add(1, std::memory_order_seq_cst);
  Whose seen = Whose::holders;
  whose_.compare_exchange_strong(seen, Whose::ending, std::memory_order_seq_cst);
  if (seen != Whose::holders && seen != Whose::ending) return;
  // After the barrier we see whether the holder is entering. If it is not, it has yet to ask, and
  // gets our answer; if it has left, we see whether the lock is held.
  wait_until_not_entering(entering_);
  seen = Whose::ending;
  whose_.compare_exchange_strong(seen, Whose::anybodys, std::memory_order_seq_cst);
}

}  // namespace goro

#endif
