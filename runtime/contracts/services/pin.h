// Pins: a growable stack that stays where it is for a while (x86-64).
//
// While somebody else may know where a goroutine's frames are, they must not move. Then its stack
// is the base of a chained one, StackKind::chained: it grows by segments and does not shrink. The
// mark of that base says why it is pinned, in a word, the pin:
//
//    63  62    56 55      48 47                             3  2   1   0
//   ┌───┬────────┬──────────┬────────────────────────────────┬───┬───┬───┐
//   │ 0 │ scopes │ content  │ frame                          │ 0 │ 1 │ 0 │
//   └───┴────────┴──────────┴────────────────────────────────┴───┴───┴───┘
//
// scopes: how many goro::pin_stack() are open.
//
// frame: a closure or a value that was sent points into this frame of the base, or into one that it
// called; the address of its frame record, {saved frame pointer, return address}. Nobody is told
// when a frame returns. But then either the stack pointer is above it, or sooner or later another
// function's frame lies there, and the record has another content. While the frame is there it has
// not. So 8 bits are kept of what the record holds, and are compared; that they agree by chance
// only makes the pin last longer.
//
// content 0: the frame was not found. Then what stands there is the address itself, and only the
// stack pointer counts.
//
// The pin is looked at when the base has no room for a frame (then seldom, if a segment is kept),
// at a park, and at the end of a scope; each time with the goroutine on the base, so that no
// segment is in use and nobody knows of one.
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

// gp has a growable or chained stack, and stands still: pins it if one of the words of the `size`
// bytes at `object` is the address of one of its locals. (Not of one in the object itself: it will
// be moved, by code that knows.) `record` is the frame record of a function of gp's that was called
// by the one that has the object. A chained stack never moves anyway. On g0.
void pin_what_it_points_at(G* gp, std::uintptr_t record, const void* object, std::size_t size);

// gp's stack pointer is, or is about to be, sp. If gp is on a pinned base, and the pin is over:
// gives the segments back that were kept, with this M's P, makes gp growable again, and returns
// true. On g0.
bool unpin_if_over(G* gp, std::uintptr_t sp);

}  // namespace goro
