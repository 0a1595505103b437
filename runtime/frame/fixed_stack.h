// Stacks that never move, with a guard page below.
#pragma once

#include <cstddef>

#include "contracts/model.h"

namespace goro {

// At least `bytes`; lo is 0 when the system gives none (memory, or vm.max_map_count: a guard page
// costs a mapping). On g0.
Stack fixed_stack_alloc(std::size_t bytes);
void fixed_stack_free(Stack stack);

// Does this address lie in the guard page of a live fixed stack that gp runs on?
bool in_guard_page(const G* gp, std::uintptr_t address);

// Gives the cached ones back to the system. Between two runs.
void fixed_stack_reset();

}  // namespace goro
