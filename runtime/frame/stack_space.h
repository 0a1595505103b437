// Room for alloca and for arrays of variable length, where a stack's end is near (x86-64).
//
// The compiler compares on the spot, and calls __morestack_allocate_stack_space(bytes) where there
// is too little room. On a stack that is copied or fixed that makes room, as a prologue would, and
// takes it by returning with a lower stack pointer: the compiler has written code for a function
// that lowered it itself, so it expects either. A chained stack cannot be made longer under a
// function that runs: there the bytes come from the heap.
//
// Nobody says when such a block is no longer needed. So the function gets 16 bytes of the stack
// instead, with a token in them. If the stack is no longer as deep as the token, or something else
// stands there, the function has returned. That is looked at when the next block is wanted, and
// when the goroutine has parked for a while with nothing but its base in use; at its end all go
// back.
//
// libgcc keeps such blocks until the segment is left.
//
// The list of blocks begins in the mark of the goroutine's base, a word that it shares with the pin
// (contracts/services/pin.h):
//
//   0                                   neither
//   the first block                     blocks are aligned, so this is even
//   the pin                             GORO_STACK_PINNED is set
//   the first block, that bit, bit 63   the pin is kept in the block, and lasts as long as there is
//                                       one: its token must not move
#pragma once

#include <cstdint>

#include "contracts/model.h"

namespace goro {

#if GORO_CHAINED_STACKS

// Might release_unused_space have something to do? Not before the goroutine is on its base again.
bool may_have_unused_space(Stack present);

// Gives back all blocks of functions that have returned when gp's stack pointer is sp. gp does not
// run, and is on its base.
void release_unused_space(G* gp, std::uintptr_t sp);

// Gives back all blocks: nothing of gp will run any more.
void release_all_space(const G* gp);

// The pin of a chained goroutine's base; 0: none.
std::uintptr_t base_pin(Stack base);
void set_base_pin(Stack base, std::uintptr_t pin);

#else

inline bool may_have_unused_space(Stack /*present*/) {
  return false;
}
inline void release_unused_space(G* /*gp*/, std::uintptr_t /*sp*/) {}
inline void release_all_space(const G* /*gp*/) {}

#endif

}  // namespace goro
