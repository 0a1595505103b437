// Who runs next, and how it starts.
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"

namespace goro {

// [find_runnable]
Runnable find_runnable() {
  for (;;) {
    P* pp = getm()->p;
    // No thread but this one looks at these timers as long as it has something to do.
    if (pp->timers.wake_time() != 0) pp->timers.check();

    // Fairness: two goroutines that keep readying each other would hold this P's queue for ever.
    // Every 61st slice (a prime, so that it falls into step with nothing) the GRQ has the first
    // word.
    if (pp->schedtick % kGlobalQueueTick == 0 &&
        sched.runqsize.load(std::memory_order_relaxed) != 0) {
      sched.lock.lock();
      G* gp = globrunq_get();
      sched.lock.unlock();
      if (gp != nullptr) return {gp, false};
    }

    bool inherit_time = false;
    if (G* gp = runq_get(pp, &inherit_time); gp != nullptr) return {gp, inherit_time};

    if (sched.runqsize.load(std::memory_order_relaxed) != 0) {
      sched.lock.lock();
      G* gp = globrunq_get_batch(pp, kRunqSize / 2);
      sched.lock.unlock();
      if (gp != nullptr) return {gp, false};
    }

    if (G* gp = find_work_elsewhere(); gp != nullptr) return {gp, false};
  }
}
// [/find_runnable]

// [execute]
void execute(G* gp, bool inherit_time) {
  M* mp = getm();
  casgstatus(gp, GStatus::runnable, GStatus::running);
  mp->curg.store(gp, std::memory_order_release);  // sysmon may look at gp from now on
  gp->m = mp;
  // A goroutine that inherits the slice must not look like a new one to whoever watches for slices
  // that last too long.
  if (!inherit_time) ++mp->p->schedtick;
  g_prepare_to_run(gp);
  restore_exception_state(gp, mp);
  switch_to(gp);
}
// [/execute]

// [schedule]
void schedule() {
  for (;;) {
    leave_if_asked();
    const Runnable next = find_runnable();
    // A spinning M that found work looks no longer; there may be more, so it sees to a successor.
    if (getm()->spinning) resetspinning();
    if (next.gp->lockedm == nullptr) execute(next.gp, next.inherit_time);
    // Only its own M may run it, and not we: an M that is locked does not look for work.
    startlockedm(next.gp);
  }
}
// [/schedule]

}  // namespace goro
