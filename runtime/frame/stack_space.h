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
#pragma once

#include <cstdint>

#include "contracts/model.h"

namespace goro {

#if GORO_CHAINED_STACKS

// Might release_unused_space have something to do? Not before the goroutine is on its base again.
bool may_have_unused_space(Stack present);

// Gives back all blocks of functions that have returned, seen from gp->sched.sp. gp does not run,
// and is on its base.
void release_unused_space(G* gp);

// Gives back all blocks: nothing of gp will run any more.
void release_all_space(const G* gp);

#else

inline bool may_have_unused_space(Stack /*present*/) {
  return false;
}
inline void release_unused_space(G* /*gp*/) {}
inline void release_all_space(const G* /*gp*/) {}

#endif

}  // namespace goro
