// Slot 06, threads-and-processors: Ms and Ps that come together, part, and sleep.
//
//            startm / wakep                         acquirep
//   idle Ms ───────────────► M (nextp) ── wakes up ─────────► M + P ── schedule() … execute
//      ▲                                                        │
//      └── stopm: mput, mpark ◄──────── releasep ───────────────┘
//                                          └──► pidleput: idle Ps
//
// A P is the right to run goroutines; an M is a thread that can. At every moment at most gomaxprocs
// Ms hold a P. The others sleep (stopm), are blocked in a system call, or wait for the one
// goroutine that they are locked to. A thread that sleeps costs nothing: it waits in the kernel on
// its own note, and whoever wakes it has put a P into its hands (nextp) before.
//
// Locks: sched.lock protects both idle lists and every count that says so in model.h. Nobody sleeps
// and nobody starts a thread while holding it.
//
// Go: lock_futex.go (note), proc.go (mput … stopm … wakep, stopTheWorldWithSema, procresize,
// LockOSThread).
#pragma once

#include "contracts/model.h"

namespace goro {

// ---- note.cpp ----
//
// Note (model.h) is a one-shot event on one word: 0, not yet; 1, it has happened.
//   wakeup()       word 0→1 by an exchange (release: what was written before is seen by the
//                  sleeper), then futex_wakeup of one. It was 1 already: fatal "notewakeup - double
//                  wakeup": two wakers believe that they own the sleeper. Any thread.
//   sleep()        until the word is 1 (acquire). futex_sleep may return for no reason, so it is a
//                  loop.
//   sleep_for(ns)  until the word is 1, or ns nanoseconds have passed since the call, however often
//                  futex_sleep_for returns in between (nanotime, services/clock.h). Returns whether
//                  it is 1. Go: notetsleep.
// While an M sleeps here, its `blocked` is true (a dump shows it); on a thread without an M nothing
// is.

// ---- idle_lists.cpp ----

// Puts pp on the list of idle Ps: last in, first out (its caches are the warmest). Sets its bit in
// idlepmask, counts it in npidle. Both seq_cst: whoever makes a goroutine runnable does that first
// and reads npidle then (wakep); whoever goes idle counts itself first and looks at the queues then
// (check_runqs_no_p, slot 07). pp has nothing to run: fatal "pidleput: P has non-empty run queue".
// Under sched.lock. Go: pidleput.
void pidleput(P* pp);

// The idle P that was put last, or null. Clears its bit, counts down. Under sched.lock. Go:
// pidleget.
P* pidleget();

// pidleget for an M that knows of work: when there is no idle P, sets needspinning, so that an M
// that is about to give up its P looks around first. Under sched.lock. Go: pidlegetSpinning.
P* pidleget_spinning();

// Puts mp on the list of idle Ms, last in, first out, counts nmidle, and calls checkdead(): it may
// be the last that could wake anyone. Under sched.lock. Go: mput.
void mput(M* mp);

// The idle M that was put last, or null. Under sched.lock. Go: mget.
M* mget();

// Wires pp to this M, and makes it running. pp must be idle and without an M, this M without a P:
// fatal "wirep: already in go", "wirep: invalid p state". On g0. Go: acquirep, wirep.
void acquirep(P* pp);

// Undoes that: pp becomes idle (on no list yet) and is returned. This M must hold a P that is
// running and knows it: fatal "releasep: invalid p state". On g0. Go: releasep.
P* releasep();

// ---- threads.cpp ----

// Gives pp to an idle M, or to a new one (m_reserve_id under the lock, newm outside of it; see
// services/threads.h). spinning: that M looks for work, and the caller has counted it in nmspinning
// already. pp null: takes an idle P itself, and does nothing if there is none. The M's nextp and
// spinning are set before it is woken. Fatal: "startm: P required for spinning=true", "startm: m is
// spinning", "startm: m has p", "startm: p has runnable gs" (when spinning). On any g0, with no
// lock held. Go: startm.
void startm(P* pp, bool spinning);

// Puts this M among the idle ones (mput), sleeps (mpark, services/threads.h), and takes the P that
// it was handed (nextp). Fatal "stopm holding p", "stopm spinning". On g0, without a P, with no
// lock held. Go: stopm.
void stopm();

// [wakep]
// A goroutine was made runnable: starts a spinning M if a P is idle and nobody spins. In this
// order, because it is called at every go statement and every wake-up:
//   1. npidle is 0: nothing to do (one load when every P is busy). Whoever gives up a P from now on
//      counts it in npidle first and looks at the queues then, so it finds the goroutine.
//   2. nmspinning is not 0: nothing to do. Whoever spins will look at the queues after it has
//      stopped counting as spinning.
//   3. nmspinning 0→1 by compare-and-swap: one waker is enough.
//   4. pidleget_spinning under sched.lock: none: undo 3. Else startm(pp, spinning = true).
// Every access seq_cst. On any g0, with no lock held. Go: wakep, which has no step 1.
void wakep();
// [/wakep]

// ---- world.cpp ----

// Stops every P but this M's own. On return nobody else runs a goroutine until start_the_world; Ms
// in system calls may be in the kernel, without a P. Under sched.lock: stopwait = gomaxprocs,
// gcwaiting = true (seq_cst), this P's status gcstop, every P of an M in a system call taken and
// stopped (gcstop_syscall_ps, slot 08), every idle P too. Then, without the lock: until stopnote is
// set, sleeps on it for at most 100 µs at a time and asks again: preempt_all(), and
// gcstop_syscall_ps() under the lock, since a goroutine may have entered a system call just then.
// Afterwards stopnote is clear. Fatal "stopTheWorld: not stopped". On g0, with a P; one at a time
// (sched.world_lock). Go: stopTheWorldWithSema.
void stop_the_world();

// The other end: procresize(procs), gcwaiting = false, sysmon woken if it sleeps (sysmonwait), all
// under sched.lock; then, without it, an M for every P that procresize returned (the one it chose,
// P::m, or newm; P::m and P::link are null again before that M wakes), and wakep(): there may be
// more work than Ms. On g0. Go: startTheWorldWithSema.
void start_the_world(std::int32_t procs);

// This M's part of it: counts as spinning no longer, gives up its P (status gcstop), counts
// stopwait down and wakes the stopper when it was the last (under sched.lock), and sleeps (stopm).
// Fatal "gcstopm: not waiting for gc". On g0, with a P, when gcwaiting was seen. Go: gcstopm.
void gcstopm();

// Sets the number of Ps. The world is stopped (or has not started: the first call of a run).
//   1. Makes Ps until allp has n: id is the index, random is random_seed(id) (services/random.h).
//      gomaxprocs (release: whoever sees the number sees the Ps) and stealorder follow.
//   2. This M goes on with its P if its id is below n; else it takes allp[0].
//   3. Each P from n on is destroyed: its goroutines go to the head of the GRQ, so that their order
//      stays (runnext to the very head), its timers to this M's P (Timers::take,
//      contracts/timers.h), its dead Gs to sched.gfree (gfree_lock), its stacks to the pools
//      (stackcache_clear); status dead. The object stays, an M may still look at it.
//   4. Every other P is idle: an empty one goes to the idle list, P1 on top; one with goroutines
//      gets an M from the idle list in P::m (newm later if there is none: P::m null) and is in the
//      list that is returned, through P::link.
// Under sched.lock. On g0. Go: procresize.
P* procresize(std::int32_t n);

// ---- locked_threads.cpp ----

// This goroutine and its M belong to each other until dounlock_os_thread was called as often.
// Counts M::locked_ext; the first call links lockedg and lockedm. At 2^32 - 1 calls: returns false,
// and changes nothing. On g0, for the goroutine that this M runs (curg). Go: LockOSThread,
// dolockOSThread.
bool dolock_os_thread();

// Counts down; the last one unlinks, unless the runtime holds the lock too (locked_int). Without a
// dolock_os_thread before: nothing. On g0. Go: UnlockOSThread, dounlockOSThread.
void dounlock_os_thread();

// nmidlelocked += v, under sched.lock (which it takes); v > 0: checkdead(). Go: incidlelocked.
void incidlelocked(std::int32_t v);

// This M is locked to a goroutine that cannot run now: gives its P to others (releasep, handoffp),
// counts as idle (incidlelocked), sleeps (mpark) until that goroutine is runnable and somebody
// hands over a P with it (startlockedm), and takes that P. Fatal "stoplockedm: inconsistent
// locking", "stoplockedm: not runnable". On g0, with or without a P. Go: stoplockedm.
void stoplockedm();

// Schedules gp, which is locked to another M: that M gets this M's P and wakes up
// (incidlelocked(-1) before), and this M sleeps (stopm); it has another P afterwards. Fatal
// "startlockedm: locked to me", "startlockedm: m has p". On g0, with a P. Go: startlockedm.
void startlockedm(G* gp);

}  // namespace goro
