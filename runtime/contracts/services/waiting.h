// What those who wait and those who wake need from the frame.
#pragma once

#include "contracts/model.h"
#include "contracts/sudog.h"

namespace goro {

// A new, clean sudog. It lives until the run ends. On any stack, but on a goroutine's only with
// M::locks above 0. Takes a lock of its own.
Sudog* sudog_alloc();

// Makes the parked goroutine gp runnable, from any stack of any thread: on an M's, into runnext of
// this P as goready does; on a thread that is not the runtime's, into the GRQ. The caller holds no
// lock of gp's any more. Go: goready.
void wake(G* gp);

// Throws Panic(text). Apart from its callers, so that they need no room for library code.
[[noreturn]] void throw_panic(const char* text);

}  // namespace goro
