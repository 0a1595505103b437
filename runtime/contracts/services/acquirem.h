// Staying on this M for a moment, on a goroutine's stack.
//
// A short critical section need not go to g0 for fear of being preempted in the middle: between
// acquirem and releasem the goroutine is asked in vain to give way (can_preempt), and the request
// is repeated at the end. The stack may still grow in between. It must not park, yield, or enter a
// system call; the one exception is gopark with an unlockf that releases the lock and then counts
// M::locks down itself, on g0.
#pragma once

#include <atomic>

#include "contracts/getg.h"
#include "contracts/model.h"

namespace goro {

// Poisons the guard of gp, which runs on this M, again: it was asked to give way while it could
// not.
void repeat_preemption(M* mp, G* gp);

// This M, on which the goroutine now stays until releasem. Null on a thread that is not the
// runtime's: nothing preempts that. On any stack. Nests. Always inlined, with all that it calls: a
// prologue between the question which M it is and the counting could take the goroutine to another.
// Go: acquirem.
[[gnu::always_inline]] inline M* acquirem() {
  M* mp = getm();
  if (mp != nullptr) ++mp->locks;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return mp;
}

// The other end; `mp` is what acquirem returned. Go: releasem.
[[gnu::always_inline]] inline void releasem(M* mp) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (mp == nullptr || --mp->locks != 0) return;
  G* gp = getg();
  if (gp->preempt.load(std::memory_order_relaxed)) repeat_preemption(mp, gp);
}

}  // namespace goro
