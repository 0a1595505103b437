// Threads for the scheduler's slots: making one, parking one, asking one to give way.
#pragma once

#include <cstdint>

#include "contracts/model.h"

namespace goro {

// Starts a thread for a new M with this id (m_reserve_id) that takes pp and runs the scheduler;
// spinning: it looks for work first, and nmspinning counts it already. With no lock held; pp is
// nobody else's. Goes to g0 by itself. `runtime: failed to create new OS thread`, fatal, when the
// system has none. Go: newm.
void newm(P* pp, bool spinning, std::int64_t id);

// Takes the id of a new M and counts it (sched.mcount) from now on, so that checkdead does not
// overlook an M that is still being made. Beyond sched.maxmcount: `runtime: program exceeds
// N-thread limit` and `fatal error: thread exhaustion`. Under sched.lock. Go: mReserveID.
std::int64_t m_reserve_id();

// Sleeps until somebody calls m->park.wakeup() for this M, and clears the note. Whoever wakes it
// has set m->nextp. Does not return when run() is about to: then this M leaves. On g0, without a P,
// with no lock held. Go: mPark.
void mpark();

// Asks the goroutine that runs on pp, if any, to give way at its next prologue. A request: it can
// miss a goroutine that is being switched to, so whoever must have an answer asks again. Any g0,
// with no lock held. Go: preemptone.
void preempt_one(P* pp);

// preempt_one for every P that runs but this M's own. Does not return when run() is about to, since
// nobody will answer then. On g0, with no lock held. Go: preemptall.
void preempt_all();

// Processor time that mp's thread has used, in nanoseconds; 0 if it cannot be known. Any thread.
std::int64_t m_cpu_time(const M* mp);

// On an M that comes out of a system call without a P, before it looks at anything of the
// scheduler's: does not return if run() has returned meanwhile (the thread ends). On g0.
void leave_if_orphaned();

// Sysmon's pause: usleep, but for the end of the run, which cuts it short. On sysmon's g0.
void sysmon_pause(std::uint32_t microseconds);

// Is nobody left who could wake anyone? Then the process ends in Go's words:
//   `fatal error: all goroutines are asleep - deadlock!`, or
//   `fatal error: no goroutines (main called runtime.Goexit) - deadlock!`, and every goroutine.
// Called whenever the number of Ms that run may have gone down. Under sched.lock. Go: checkdead.
void checkdead();

// A debug build looks whether the scheduler's books are in order (frame/invariants.cpp); `where`
// is for the text. Under sched.lock, without the M's own P in any intermediate state.
#if defined(NDEBUG) && !defined(GORO_SIMULATE)
inline void check_invariants(const char* /*where*/) {}
#else
void check_invariants(const char* where);
#endif

}  // namespace goro
