// Names of functions as the source has them.
#pragma once

#include <cstddef>

namespace goro {

// Writes the name into `room` and returns that, or returns the mangled name if it stays as it is:
// it is none, or too long for the stack that is left. Allocates nothing in a signal handler.
const char* demangled(const char* name, char* room, std::size_t size);

}  // namespace goro
