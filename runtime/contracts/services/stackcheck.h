// GORO_DEBUG=stackcheck=1: finds addresses of locals that were kept where a moved stack breaks
// them.
//
// Every stack gets pages of its own, and a stack that was left is made unreadable and never used
// again, so a stale address faults at its first use. At each copy the blocks that operator new
// handed out are searched for addresses in the old stack; one that is found ends the program with
// status 2 and a line that names the block, its address, its size and where it was allocated.
#pragma once

#include "contracts/model.h"

namespace goro {

// Set before main() from the environment, and never changed.
extern bool stackcheck_is_on;

inline bool stackcheck_enabled() {
  return stackcheck_is_on;
}

// stackalloc and stackfree while it is enabled.
Stack stackcheck_alloc(std::size_t bytes);
void stackcheck_free(Stack stack);

// Called by copystack when gp runs on its new stack and `old` still exists. Nothing unless enabled.
// On g0.
void stackcheck_stack_moved(const G* gp, Stack old);

}  // namespace goro
