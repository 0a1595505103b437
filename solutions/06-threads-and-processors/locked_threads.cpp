// Goroutines that keep their thread.
//
// Some libraries want to be called from one thread only. A goroutine and an M that are locked to
// each other cost more at each switch: the M cannot run anything else meanwhile, so it gives its P
// away and sleeps, and whoever finds the goroutine in a queue has to hand over its own P.
#include <limits>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/services/fatal.h"
#include "contracts/services/threads.h"
#include "contracts/syscall.h"

namespace goro {

bool dolock_os_thread() {
  M* mp = getm();
  if (mp->locked_ext == std::numeric_limits<std::uint32_t>::max()) return false;
  ++mp->locked_ext;
  G* gp = mp->curg.load(std::memory_order_relaxed);
  mp->lockedg = gp;
  gp->lockedm = mp;
  return true;
}

void dounlock_os_thread() {
  M* mp = getm();
  if (mp->locked_ext == 0) return;
  --mp->locked_ext;
  if (mp->locked_ext != 0 || mp->locked_int != 0) return;
  mp->lockedg = nullptr;
  mp->curg.load(std::memory_order_relaxed)->lockedm = nullptr;
}

void incidlelocked(std::int32_t v) {
  sched.lock.lock();
  sched.nmidlelocked += v;
  if (v > 0) checkdead();
  sched.lock.unlock();
}

// [stoplockedm]
void stoplockedm() {
  M* mp = getm();
  if (mp->lockedg == nullptr || mp->lockedg->lockedm != mp) {
    fatal("stoplockedm: inconsistent locking");
  }
  if (mp->p != nullptr) handoffp(releasep());
  // After handoffp: our P's work has an M before we count as idle, so this is no deadlock yet.
  incidlelocked(1);
  mpark();
  // Whoever woke us took the goroutine from a queue and leaves it to us.
  const std::uint32_t status = mp->lockedg->atomicstatus.load(std::memory_order_acquire);
  if ((status & ~kGScan) != static_cast<std::uint32_t>(GStatus::runnable)) {
    fatal("stoplockedm: not runnable");
  }
  P* pp = mp->nextp;
  mp->nextp = nullptr;
  acquirep(pp);
}
// [/stoplockedm]

// [startlockedm]
void startlockedm(G* gp) {
  M* mp = gp->lockedm;
  if (mp == getm()) fatal("startlockedm: locked to me");
  if (mp->nextp != nullptr) fatal("startlockedm: m has p");
  // Before it is woken, and before we stop: one of the two counts as running all the time.
  incidlelocked(-1);
  P* pp = releasep();
  mp->nextp = pp;
  mp->park.wakeup();
  stopm();
}
// [/startlockedm]

}  // namespace goro
