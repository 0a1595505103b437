// Slot 05, global-queue-fairness: the GRQ, and who runs next.
//
//   schedule(), forever:  find_runnable ─► execute ─► (the goroutine) ─► mcall(back to schedule)
//
// The LRQ alone would be unfair: two goroutines that wake each other in turn would keep a P to
// themselves for ever while others wait in the GRQ. So every 61st time slice looks at the GRQ
// first. And a chain of wake-ups through runnext counts as one slice (inherit_time), so that it
// cannot outlive its 10 ms by passing the P along.
//
// Go: proc.go (globrunqput, globrunqget, globrunqgetbatch, schedule, findRunnable, execute).
#pragma once

#include "contracts/model.h"

namespace goro {

// Puts a runnable gp on the tail of the GRQ. Under sched.lock. Go: globrunqput.
void globrunq_put(G* gp);

// Puts `n` runnable Gs, in order, on the tail of the GRQ, and empties `batch`. Under sched.lock.
// Go: globrunqputbatch.
void globrunq_put_batch(GQueue* batch, std::int32_t n);

// The head of the GRQ, or null. Under sched.lock. Go: globrunqget.
G* globrunq_get();

// Takes min(n, GRQ's length, length / gomaxprocs + 1) Gs from the head of the GRQ: a P's fair
// share. The first is returned, the others go to the tail of pp's ring in order (runq_put_batch; n
// is at most half a ring and pp's ring is empty, so they fit). Null when the GRQ is empty. Under
// sched.lock, by the owner of pp. Go: globrunqgetbatch.
G* globrunq_get_batch(P* pp, std::int32_t n);

struct Runnable {
  G* gp = nullptr;
  bool inherit_time = false;  // goes on with the present time slice
};

// [find_runnable]
// The next goroutine for this M's P; sleeps until there is one. In this order:
//   0. the P's timers: pp->timers.check() (contracts/timers.h) readies who has slept long enough;
//   1. when pp->schedtick is a multiple of kGlobalQueueTick (61) and the GRQ is not empty: one G
//   from it;
//   2. runq_get;
//   3. when the GRQ is not empty: globrunq_get_batch(pp, 128);
//   4. find_work_elsewhere() (contracts/services/scheduling.h): the poller, stealing, sleeping;
//      null means: look again from the top (this M may have another P now).
// sched.runqsize is read without the lock first: taking a lock to find nothing is what a P must not
// do. On g0, with a P. Go: findRunnable.
Runnable find_runnable();
// [/find_runnable]

// Runs gp on this M until it stops. runnable→running; links M and gp (m->curg, by a store
// with release since sysmon follows it at any time; gp->m); schedtick++
// unless inherit_time; g_prepare_to_run (contracts/services/goroutine.h: a stack if this is the
// first time, the stack guard); restore_exception_state; switch_to(gp). On g0, with a P. Go:
// execute.
[[noreturn]] void execute(G* gp, bool inherit_time);

// One round of the scheduler: leave_if_asked() (contracts/services/scheduling.h: the world is being
// stopped, run() returns, or this M is locked to a goroutine), find_runnable, resetspinning() if
// this M is spinning, execute. A goroutine that is locked to another M (gp->lockedm is not null) is
// not executed here: startlockedm(gp) gives it to its M together with our P, and the round begins
// again. On g0, with a P. Go: schedule.
[[noreturn]] void schedule();

}  // namespace goro
