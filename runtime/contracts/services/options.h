// What run() was asked for.
#pragma once

#include <cstddef>

namespace goro {

// The largest stack a goroutine may grow to, in bytes. Go: maxstacksize, 1,000,000,000.
std::size_t max_stack_size();

}  // namespace goro
