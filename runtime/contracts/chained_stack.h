// Slot 03, growable-stacks, second part: 2 KB stacks that grow by a further segment and never move
// (x86-64).
//
//   base, 2 KB           segment, 4 KB                 segment, 8 KB
//   ┌──────────────┐     ┌───────────────────┐         ┌───────────────────┐
//   │ words ·newer─┼───► │ StackSegment ·newer─────►  │ StackSegment ·newer───► null
//   ├──────────────┤ ◄───┼─older             │ ◄───────┼─older             │
//   │ frames       │     ├───────────────────┤         ├───────────────────┤
//   │ f's caller   │     │ copy of f's stack │         │ not in use: kept  │
//   │ f's stack    │     │   arguments       │         │ for the next time │
//   │   arguments  │     │ return to the seam│         │                   │
//   │ seam record  │ ◄─┐ │ frame of f        │         │                   │
//   └──────────────┘   └─┼─ rbp that f keeps │         │                   │
//                        └───────────────────┘         └───────────────────┘
//
// When a prologue finds too little room, the function is *called*, on a further segment, and that
// segment is left when it returns. A segment is twice as large as the one before until they have
// kSegmentMost; further ones have that, or what the frame needs. This is what GCC means with
// -fsplit-stack, and what Go did up to 1.2: every address stays what it is, and a loop that calls
// across a seam pays for it each time round, the hot split. To blunt it, one segment behind the
// present one is kept; taking that one again needs no call of the scheduler.
//
// The seam record is an ordinary frame record of __morestack on the older segment:
//   rbp+0   the caller's rbp
//   rbp+8   return address into the function's prologue, a one-byte `ret`
//   rbp+16  return address of the function
//   rbp+24  its stack arguments
// The function keeps rbp for its caller, so it is still there when the function has returned, or an
// exception has passed: the unwind information of the seam finds everything from rbp.
//
// An exception gives segments back too. The seam has a personality function. The unwinder calls it
// on its way through (in the second phase, when it is certain that nobody comes back), and it
// leaves the segment as a return would. The unwinder itself still runs on the newest segment then;
// so it stays in the list behind the present one until the next return, growth or park.
//
// What always holds: G::stack and the limit are those of the segment that the goroutine's stack
// pointer is in, except in an unwinder that is under way.
//
// libgcc: morestack.S, generic-morestack.c. Go 1.2: newstack, oldstack, lessstack.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/chained_stack_offsets.h"
#include "contracts/model.h"

namespace goro {

// The two uppermost words of every stack that grows. gostartcall leaves them 0.
struct StackLinks {
  // Of a segment: the bytes of all segments up to this one, | 1. Of a base: even, and not to be
  // looked at except as goro_morestack_chained does (frame/stack_space.h says what is there).
  std::uintptr_t mark;
  // The upper end of the segment that was chained to this one last, in use or kept; 0: none.
  std::uintptr_t newer;
};

// The uppermost words of a segment that is not the base.
struct StackSegment {
  std::uintptr_t lo;
  // The most bytes of a frame and of stack arguments that fit into it.
  std::size_t room;
  Stack older;
  Stack base;
  StackLinks links;
};

static_assert(sizeof(StackSegment) == GORO_SEGMENT_SIZE);
static_assert(offsetof(StackSegment, lo) == GORO_SEGMENT_SIZE + GORO_SEGMENT_LO);
static_assert(offsetof(StackSegment, room) == GORO_SEGMENT_SIZE + GORO_SEGMENT_ROOM);
static_assert(offsetof(StackSegment, older) == GORO_SEGMENT_SIZE + GORO_SEGMENT_OLDER_LO);
static_assert(offsetof(StackSegment, older) + offsetof(Stack, hi) ==
              GORO_SEGMENT_SIZE + GORO_SEGMENT_OLDER_HI);
static_assert(offsetof(StackSegment, links) + offsetof(StackLinks, mark) ==
              GORO_SEGMENT_SIZE + GORO_SEGMENT_MARK);
static_assert(offsetof(StackSegment, links) + offsetof(StackLinks, newer) ==
              GORO_SEGMENT_SIZE + GORO_SEGMENT_NEWER);
#if defined(__x86_64__)
static_assert(kStackGuard == GORO_STACK_GUARD);
#endif
static_assert(kStackPreempt == static_cast<std::uintptr_t>(GORO_STACK_PREEMPT));
static_assert(static_cast<int>(StackKind::chained) == GORO_STACK_KIND_CHAINED);

// StackSegment::room of a segment of `size` bytes: all but what is at its upper end, the guard, the
// return address into the seam, and what it takes to keep the arguments' alignment.
constexpr std::size_t segment_room(std::size_t size) {
  return size - sizeof(StackSegment) - kStackGuard - (64 + 16);
}

inline StackLinks* stack_links(Stack stack) {
  return reinterpret_cast<StackLinks*>(stack.hi) - 1;
}

// For a stack of a chained goroutine: null if it is the base.
inline StackSegment* stack_segment(Stack stack) {
  return (stack_links(stack)->mark & 1) != 0 ? reinterpret_cast<StackSegment*>(stack.hi) - 1
                                             : nullptr;
}

// The base of a chained goroutine whose stack this is.
inline Stack base_of(Stack stack) {
  const StackSegment* segment = stack_segment(stack);
  return segment != nullptr ? segment->base : stack;
}

// Where doubling ends. Less would show in deep recursion; more would make a goroutine that goes a
// little deeper than half of its stack keep all of it.
inline constexpr std::size_t kSegmentMost = std::size_t{64} * 1024;

// Chains a segment to gp's present one into which a frame of `bytes` fits with `arguments` bytes of
// stack arguments: twice as large as the present one and at most kSegmentMost, or the next power of
// two that is large enough. What was kept there goes back first. gp->stack stays what it is:
// goro_morestack_chained goes over. More than max_stack_size() in all:
// stack_overflow(gp, max_stack_size()). On g0. libgcc: __generic_morestack.
void newsegment(G* gp, std::size_t bytes, std::size_t arguments);

// Gives back all segments that are newer than `stack`, a goroutine's, to pp's caches (null: to the
// pools directly). On g0. libgcc: __morestack_release_segments.
#if GORO_CHAINED_STACKS
void release_newer_segments(P* pp, Stack stack);
#else
inline void release_newer_segments(P*, Stack) {}  // there are none
#endif

// Calls fn(stack) for the present stack of gp, which is chained, and every other one, newer and
// older; fn may free it.
template <typename F>
void for_each_segment(const G* gp, F&& fn) {
  for (std::uintptr_t hi = stack_links(gp->stack)->newer; hi != 0;) {
    const auto* segment = reinterpret_cast<const StackSegment*>(hi) - 1;
    const Stack stack{segment->lo, hi};
    hi = segment->links.newer;
    fn(stack);
  }
  for (Stack stack = gp->stack;;) {
    const StackSegment* segment = stack_segment(stack);
    const bool is_base = segment == nullptr;
    const Stack older = is_base ? Stack{} : segment->older;
    fn(stack);
    if (is_base) return;
    stack = older;
  }
}

// [over_the_seam]
// A walk over frame records leaves a chained goroutine's segment `*within` at a seam's record. True
// if `record` is one: *within is the older segment then. The record's caller is its third word, not
// its second.
inline bool over_the_seam(const G* gp, Stack* within, std::uintptr_t record) {
  if (gp->stack_kind != StackKind::chained) return false;
  const StackSegment* segment = stack_segment(*within);
  if (segment == nullptr || !segment->older.contains(record)) return false;
  *within = segment->older;
  return true;
}
// [/over_the_seam]

}  // namespace goro

extern "C" {
// Assembly. __morestack and __morestack_non_split come here for a goroutine with a chained stack,
// with rbp and rax pushed, rbp at the first of the two, the G in rax, and everything else as the
// prologue left it; for foreign code r10 has kForeignRoom in it.
//   1. The goroutine copies again, a signal handler runs on a stack of its own, or there is room
//      after all: into the body.
//   2. It was asked to give way; or no kept segment is large enough; or this is the 64th time on a
//      base whose mark has GORO_STACK_PINNED, counted in G::quiet_parks: saves every register that
//      can hold an argument, pushes a request of two words, {bytes of stack arguments, bytes of
//      frame}, and goro_mcall(goro_morestack_chained_m). Then looks again.
//   3. Goes over to the kept segment: G::stack, the limit in the G and the one that prologues
//      compare with, unless somebody asks; copies the stack arguments, keeping their alignment;
//      calls the body.
//   4. When the body has returned: gives back what is kept behind this segment
//      (goro_mcall(goro_lessstack_m), with rax, rdx, xmm0, xmm1 and the x87 stack saved), leaves
//      the segment, puts the limit back, and returns to the prologue's `ret`.
void goro_morestack_chained();

// The return address in step 4.
extern const char goro_lessstack[];
}

namespace goro {

// Is this where a function that was called over a seam returns to? It is nobody's function.
inline bool is_seam([[maybe_unused]] std::uintptr_t pc) {
#if GORO_CHAINED_STACKS
  return pc == reinterpret_cast<std::uintptr_t>(goro_lessstack);
#else
  return false;
#endif
}

}  // namespace goro
