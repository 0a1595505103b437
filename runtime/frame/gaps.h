// Memory between stacks that no stack may have: frame/page_heap.cpp says why there is such.
#pragma once

#include "contracts/model.h"

namespace goro {

// A gap that nobody has; {0, 0} if there is none. It begins and ends at a multiple of a cache line,
// was not used before, and goes with page_heap_reset. Takes the page heap's lock.
Stack take_gap();

}  // namespace goro
