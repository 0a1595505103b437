// Slot 03, growable-stacks: 2 KB stacks that double and move; large ones double where they are.
//
//   hi ┌──────────────┐                      hi ┌──────────────┐
//      │ frames       │ ──── copied, and ──►    │ frames       │
//   sp ├──────────────┤      every word that    ├──────────────┤ sp
//      │              │      points into        │              │
//      ├ ─ ─ ─ ─ ─ ─ ─┤      [sp, hi) moved     │              │
//      │ stack guard  │      by the distance    │              │
//   lo └──────────────┘                         │              │
//                                               ├ ─ ─ ─ ─ ─ ─ ─┤
//                                               │ stack guard  │
//                                            lo └──────────────┘
//
// The compiler makes every function that runs on goroutine stacks begin with a check. When there is
// too little room, it calls us before the function has done anything:
//
//   x86-64 (-fsplit-stack): `cmp %fs:0x70, %rsp` (or rsp minus the frame), then
//     `call __morestack` with r10 = bytes of frame, r11 = bytes of stack arguments. The return
//     address points at a one-byte `ret`; returning behind it runs the function's body on the
//     present stack. The linker (lld, gold) turns the check of a function that calls code without
//     checks into a call of
//     __morestack_non_split, always: there is room for the frame and kForeignRoom more, or we grow.
//   ARM64 (-pg): `mov x0, x30; bl _mcount` behind the prologue, so the frame is taken already.
//
// Stack sizes are powers of two from kStackMin. Small ones (kNumStackOrders orders) come from a
// cache in the P without any lock, the cache refills from pools, the pools take spans of up to
// kStackCacheSize from the page heap (contracts/services/page_heap.h). Larger ones come from the
// page heap one by one.
//
// Go: stack.go, asm_amd64.s (morestack).
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/model.h"

namespace goro {

// A stack of at least `bytes` (a power of two, at least kStackMin). Never fails: fatal "out of
// memory (stack)". The bytes are not cleared. On g0; pp is this M's P, or null to go to the pools
// directly. Go: stackalloc.
Stack stackalloc(P* pp, std::size_t bytes);

// Gives a stack back. Stacks of a cached order go to pp's cache (first in line to be used again: it
// is warm); a cache that then holds kStackCacheSize bytes or more is released down to half of that.
// On g0. Go: stackfree.
void stackfree(P* pp, Stack stack);

// Fills the empty cache entry of `order` to kStackCacheSize / 2 from the pool (which takes spans
// from the page heap). Go: stackcacherefill.
void stackcache_refill(P* pp, int order);

// Gives cached stacks of `order` back to the pool until at most kStackCacheSize / 2 bytes are left.
// Go: stackcacherelease.
void stackcache_release(P* pp, int order);

// Gives all cached stacks of a P that is going away to the pools. Go: stackcache_clear.
void stackcache_clear(P* pp);

// Forgets every pooled stack: the page heap's memory is about to go. Called between two runs, by
// one thread.
void stackpool_reset();

// Makes room on the stack of gp, the goroutine of this M, or lets it give way. An mcall away from
// __morestack or _mcount: on g0, with all of gp's registers saved on its own stack from
// gp->sched.sp up.
//   1. Was gp asked to give way (gp->stackguard0 is kStackPreempt)? Puts the real guard back.
//   2. If `bytes` do not fit between gp->sched.sp (which may be below the guard already) and the
//      guard: doubles the size until they do, and makes the stack so large once, with
//      running→copystack, extendstack or else copystack, copystack→running. For a stack that would
//      be larger than max_stack_size(): stack_overflow(gp, max_stack_size())
//      (contracts/services/fatal.h), which does not return. For one that is not growable:
//      stack_overflow(gp, its size). (`foreign` on a fixed stack is no reason to stop: there the
//      guard page is the limit.)
//   3. Was gp asked, and may it be preempted now (contracts/services/scheduling.h: can_preempt)?
//      gp->preempt = false, gopreempt_m(gp). Else goro_gogo(&gp->sched).
// Growing comes first: the function that called us does not check a second time.
// Go: newstack.
[[noreturn]] void newstack(G* gp, std::size_t bytes, bool foreign);

// Makes gp's stack one of `size` bytes where it is, if the page heap has the addresses below it
// (page_heap_extend: for a stack of 32 KB or more, up to 16 MB, unless there are many). True if it
// did: gp->stack.lo and gp->stackguard0 are those of the larger stack (kStackPreempt stays if it is
// set), everything else is as it was. False if nothing changed. What is in use stays where it is:
// nothing is copied, nothing relocated, and addresses of locals are good wherever they are kept.
// No program may count on that: it cannot know which way its stack grows next. Whoever records the
// sizes of stacks is told by exceptions_stack_moved, with a distance of 0. gp owns its stack: it is
// in copystack, on this M. On g0. Go has no such thing.
bool extendstack(G* gp, std::size_t size);

// Moves the used part of gp's stack to the top of a new stack of `size` bytes, relocates in it the
// addresses of what was in use (adjust_pointers), changes gp->stack, gp->stackguard0 (kStackPreempt
// stays if it is set) and gp->sched.sp, and frees the old stack. Before that, those who keep
// addresses are told: exceptions_stack_moved(gp, old, distance) and stackcheck_stack_moved(gp, old)
// (contracts/services). Allocates and frees with this M's P. gp owns its stack: it is in copystack,
// on this M or on none. On g0. Go: copystack.
void copystack(G* gp, std::size_t size);

// Adds `distance` to every 8-byte word of [from, to) that holds an address in [in_use.lo,
// in_use.hi), and returns how many. Words that only look like such an address are changed too; C++
// has no map that could tell. So the range is as narrow as it can be. Below the stack pointer lies
// nothing that a program may point to, and no local ends at hi (gostartcall leaves 16 bytes there).
// That matters: a compiler that stores two bools into a word leaves the other six bytes as they
// were, often those of an old address. Such a word is 0, 1, 0x100 or 0x101 above a multiple of
// 65536 (kNoStackAcross), and of a stack of up to 64 KB only lo or hi is near one. Go: adjustframe,
// adjustpointers (which have a map).
std::size_t adjust_pointers(std::uintptr_t from, std::uintptr_t to, Stack in_use,
                            std::uintptr_t distance);

// Halves gp's stack if it is growable, larger than kStackMin, and less than a quarter of it is in
// use (kStackGuard counted in). True if it did. gp is in waiting, off every M, with nobody allowed
// to ready it yet; it goes through copystack and back. On g0. Go: shrinkstack.
bool shrinkstack(G* gp);

}  // namespace goro

extern "C" {
// What the checks call; assembly. All three keep every register that can hold an argument. They do
// nothing where there is nothing to grow: on a thread that is not the runtime's (getg() is null),
// on g0 (whose guard they put back to 0: a request to give way came too late), and when the stack
// pointer is outside of the goroutine's stack (a signal handler runs on a stack of its own). Else:
// they push a request of two words, {is it foreign code that wants kForeignRoom?, bytes of frame},
// and goro_mcall(goro_newstack_m), which finds it right above the switch frame
// (frame/foreign_calls.S pushes the same).
void __morestack();            // x86-64
void __morestack_non_split();  // x86-64
void _mcount();                // ARM64
}
