// What the scheduler's slots call and later slots provide: other threads, other Ps, the stopped
// world.
#pragma once

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/processors.h"
#include "contracts/work_stealing.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

struct MutexWords;

// From slot 06, contracts/processors.h:
//   wakep()              A P was given work: starts another M if a P is idle and nobody looks for
//                        work already. On g0, with a P. Costs one load when every P is busy.
//   startlockedm(gp)     gp may run on one M only, and not on this one: hands this M's P over to
//                        that M, and sleeps. This M has another P afterwards. On g0, with a P.
// From slot 07, contracts/work_stealing.h:
//   find_work_elsewhere()  The rest of find_runnable: steals from other Ps; when there is nothing,
//                        gives up the P and sleeps. Null: look again from the top; this M may have
//                        another P now. On g0, with a P.
//   resetspinning()      This M was looking for work (m->spinning) and found some: it no longer
//                        counts as looking, and somebody else may have to. On g0, with a P.

// Top of schedule(). An M that is locked to a goroutine (lock_os_thread) gives up its P, waits
// until that goroutine can run, and runs it. Any other gives up its P while the world is stopped.
// Does not return in the first case, nor when run() is about to. On g0, with a P.
void leave();
inline void leave_if_asked() {
#if defined(NDEBUG) && !GORO_SIMULATE  // else always: leave() looks for mistakes, too
  if (getm()->lockedg != nullptr || sched.gcwaiting.load(std::memory_order_acquire))
#endif
    leave();
}

// May gp, the goroutine this M just left, be made to give way here? On g0.
bool can_preempt(const G* gp);

// gosched_m for a goroutine that is stopped where it did not ask to be, and so may be about to read
// its errno: it finds the same on whatever thread it goes on. Go: gopreempt_m.
[[noreturn]] void gopreempt_m(G* gp);

// The running goroutine goes to the tail of this P's queue, and whoever is in runnext runs, in what
// is left of the slice. On a goroutine's stack. Go: goyield.
void goyield();

// May somebody who waits for a mutex spin, after so many tries? A few times only, and only if
// whoever has it can be running at the same time: on another processor, on another P; and if this P
// has nothing else to do. Go: runtime_canSpin.
bool can_spin(int tries);
// Once. Go: runtime_doSpin.
void do_spin();

// Pauses for as long as waiting for m seems shorter than parking, also if this P has something else
// to do: until m is unlocked, while others lock it again and again, and no longer than some
// microseconds. Not at all if whoever has it cannot be running. m may be locked or not afterwards.
void stand_back(const MutexWords* m);

// A moment's rest in a loop that waits for another thread. Go: procyield.
inline void cpu_relax() {
#if GORO_SIMULATE
  if (sim::active) return sim::relax();
#endif
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

}  // namespace goro
