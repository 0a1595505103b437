// Slot 02, goroutine-lifecycle: birth, life and death of a G.
//
//            newproc1             execute               goexit0
//   dead ─────────────► runnable ─────────► running ─────────────► dead (free list)
//                          ▲ ▲               │  │
//                          │ └── gosched_m ──┘  │ park_m
//                          └────── ready ── waiting ◄─┘
//
// A G changes hands only through its status. The one who moves it out of a status owns it then; so
// two threads can never both make the same goroutine runnable.
//
// Go: proc.go (casgstatus, newproc1, gfget, gfput, gopark, park_m, ready, Gosched, goexit0).
#pragma once

#include "contracts/model.h"
#include "goro/no_grow.h"

namespace goro {

// Moves gp from `from` to `to`, waiting while somebody holds the scan bit. `from` and `to` carry no
// scan bit themselves. A move that is not an edge of the life of a G, or a G that is in another
// status than `from` (scan bit aside), is a bug in the runtime: fatal("casgstatus: …", see
// contracts/services/fatal.h), checked in every build. Acquires on success what the last owner
// wrote to the G, and releases what this one wrote to whoever moves it next. The scan bit is only
// ever set on a goroutine in waiting or syscall, so only moves from there need a compare-and-swap.
// Callable on any stack (it parks nothing and must not grow the stack). Legal edges: idle→dead,
// dead→runnable, dead→waiting, runnable→running, running→runnable, running→waiting,
// waiting→runnable, running↔syscall, running↔copystack, waiting↔copystack, runnable↔copystack,
// running→preempted, preempted→waiting, running→dead.
GORO_NO_GROW void casgstatus(G* gp, GStatus from, GStatus to);

// A G that will run `closure`, runnable and on no queue yet. Takes a dead G from gfget, or a new
// one from g_alloc() (contracts/services/allgs.h: status idle) when there is none. Gives it the
// next id from pp's batch of kGoidCacheBatch (a new batch starts at sched.goidgen.fetch_add(16) +
// 1), its parent's id and the caller's pc. Leaves waitreason none, param null, preempt false, no
// exceptions, sched.g = the G itself, sched.sp 0: the stack comes when it first runs (execute, slot
// 05), because a million waiting goroutines should not need a million stacks. Fatal "go of nil func
// value" when closure.invoke is null. On g0 of the M that holds pp. Go: newproc1.
G* newproc1(P* pp, const Closure& closure, StackKind kind, std::uint64_t parent, std::uintptr_t pc);

// A dead G, or null. Local list first; when that is empty and sched.gfree is not, moves Gs over
// (under sched.gfree_lock) until pp has kGFreeKeepBelow or the global list is empty. On g0. Go:
// gfget.
G* gfget(P* pp);

// Puts a dead G on pp's list. When the list then has kGFreeFlushAt, moves Gs to sched.gfree (under
// sched.gfree_lock) until fewer than kGFreeKeepBelow remain. On g0. Go: gfput.
void gfput(P* pp, G* gp);

// [gopark]
// Parks the running goroutine until ready(). On g0, when the goroutine is off its stack and
// `waiting`, unlockf(gp, lock) is called (null: nothing is); if it returns false, what gp waits for
// is already there, and gp goes on at once. unlockf may let another thread ready gp (by unlocking
// the lock under which others find gp, say): from then on neither it nor park_m may touch gp or its
// stack. Until then unlockf may; `lock` is often a local of gp, and moves when before_park moves
// the stack. On a goroutine's stack; must not be called with a RuntimeMutex held unless unlockf
// releases it.
void gopark(bool (*unlockf)(G* gp, void* lock), void* lock, WaitReason reason);

// gopark's second half: an mcall function. running→waiting, dropg, before_park(gp)
// (contracts/services/goroutine.h: the last moment at which gp's stack is surely ours), then
// unlockf as above; false: waiting→runnable and execute(gp, inherit_time = true). Else schedule().
[[noreturn]] void park_m(G* gp);
// [/gopark]

// Makes a parked goroutine runnable: waiting→runnable, runq_put(next = true) on this M's P,
// wakep(). On g0, or on a goroutine's stack between acquirem and releasem; with a P. Go: ready.
void ready(G* gp);

// The same from a goroutine's stack or g0: ready(gp) on the system stack. Go: goready.
void goready(G* gp);

// An mcall function: running→runnable, dropg, to the tail of the GRQ (under sched.lock), wakep(),
// schedule(). So a goroutine that yields waits for everyone. Go: goschedImpl.
[[noreturn]] void gosched_m(G* gp);

// An mcall function, the end of a goroutine whose closure is destroyed already: running→dead,
// dropg, gives the stack back (g_free_stack, contracts/services/goroutine.h), clears what the next
// life must not see (param, waitreason, preempt, closure, sched), gfput, schedule(). Go: goexit0,
// gdestroy.
[[noreturn]] void goexit0(G* gp);

// Undoes execute's link between this M and its goroutine: saves the exception state, then m->curg =
// null and curg->m = null. On g0. Go: dropg.
void dropg();

}  // namespace goro
