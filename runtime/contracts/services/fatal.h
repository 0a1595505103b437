// Ending the process, in Go's words and with Go's status 2.
#pragma once

#include "contracts/model.h"

namespace goro {

// Prints `fatal error: TEXT`, then every goroutine, and exits with status 2. Callable from any
// stack.
[[noreturn]] void fatal(const char* text);

// fatal with the goroutine's id and the statuses' names added.
[[noreturn]] void fatal_status(const char* text, const G* gp, GStatus from, GStatus to);

// `runtime: goroutine stack exceeds N-byte limit`, `fatal error: stack overflow`, status 2; N is
// `limit`. On g0.
[[noreturn]] void stack_overflow(G* gp, std::size_t limit);

}  // namespace goro
