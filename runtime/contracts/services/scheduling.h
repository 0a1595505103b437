// What the scheduler's slots call and later slots provide: other threads, other Ps, the stopped
// world.
#pragma once

#include "contracts/model.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

// A P was given work: starts another M if a P is idle and nobody is looking for work already. On
// g0, with a P. Costs one load when every P is busy. Go: wakep.
void wakep();

// The rest of find_runnable: steals from other Ps; when there is nothing, gives up the P and
// sleeps. Null: look again from the top; this M may have another P now. On g0, with a P.
G* find_work_elsewhere();

// This M was looking for work (m->spinning) and found some: it no longer counts as looking, and
// somebody else may have to. On g0, with a P. Go: resetspinning.
void resetspinning();

// Top of schedule(): gives up the P while the world is stopped; does not return when run() is about
// to. On g0, with a P.
void leave_if_asked();

// May gp, the goroutine this M just left, be made to give way here? On g0.
bool can_preempt(const G* gp);

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
