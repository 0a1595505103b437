// Pins: a growable stack that stays where it is for a while (x86-64).
//
// While somebody else may know where a goroutine's frames are, they must not move. Then its stack
// is the base of a chained one, StackKind::chained: it grows by segments and does not shrink. The
// mark of that base says why it is pinned, in a word, the pin:
//
//    63  62     48 47                                3  2   1   0
//   ┌───┬─────────┬───────────────────────────────────┬───┬───┬───┐
//   │ 0 │ scopes  │ the highest address that is known │ 0 │ 1 │ 0 │
//   └───┴─────────┴───────────────────────────────────┴───┴───┴───┘
//
// scopes: how many goro::pin_stack() are open. The address: the highest word of the base that a
// closure or a value that was sent points at. Its frame has returned as soon as the stack pointer
// is above it, so nobody looks there any more. An open scope makes the pin larger than any stack
// pointer. So the pin is over when the stack pointer, as a number, is above it.
//
// Nobody is told when a frame returns. The mark is looked at where it matters: when the base has no
// room for a frame, at a park, and at the end of a scope; each time with the goroutine on the base,
// so that no segment is in use.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/chained_stack.h"
#include "contracts/model.h"

namespace goro {

// Is this stack the base of a goroutine that is pinned?
inline bool is_pinned(Stack stack) {
  return (stack_links(stack)->mark & GORO_STACK_PINNED) != 0;
}

// The goroutine with a growable or chained stack that runs on this M, or its g0 for it: pins gp if
// one of the words of the `size` bytes at `object` is the address of one of its locals. (Not of one
// in the object itself: it will be moved, by code that knows.) A chained stack never moves anyway.
void pin_what_it_points_at(G* gp, const void* object, std::size_t size);

// gp's stack pointer is, or is about to be, sp. If gp is on a pinned base, and the pin is over:
// gives the segments back that were kept, with this M's P, makes gp growable again, and returns
// true. On g0.
bool unpin_if_over(G* gp, std::uintptr_t sp);

}  // namespace goro
