// C++ exceptions on their way through a stack that moves.
#pragma once

#include "contracts/model.h"

namespace goro {

// Called by copystack, and by extendstack with a distance of 0. The unwinder remembers, in the
// exception object, at which stack address it will stop; a destructor that runs on the way there
// can grow the stack. So moves during an unwinding are kept with the goroutine, and _Unwind_Resume
// corrects the address. Nothing unless an exception is in flight; but a trace has the new size. On
// g0, gp on this M or parked.
void exceptions_stack_moved(G* gp, Stack old, std::uintptr_t distance);

// Forgets the moves when the goroutine ends.
void exceptions_free_moves(G* gp);
inline void exceptions_forget_moves(G* gp) {
  if (gp->moves != nullptr) exceptions_free_moves(gp);
}

}  // namespace goro
