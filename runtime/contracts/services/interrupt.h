// For slot 14: registers and where to keep them.
#pragma once

#include "contracts/model.h"
#include "contracts/preemption.h"

namespace goro {

// Can the interrupted registers be saved? On x86-64 a SavedState has room for general, x87, SSE,
// AVX and AVX-512 registers; on ARM64 for what is in the signal frame itself. In the handler.
bool registers_fit(const Interrupted& at);

// A list of free SavedStates, or a new one; null when there is no memory. On a g0 or outside.
SavedState* saved_state_take();

// How many there are, free or not.
int saved_states();

// GORO_DEBUG=asyncpreemptoff=1, or a processor that cannot save its registers.
bool async_preempt_is_off();

// How often a goroutine was stopped by a signal, in this process.
std::uint64_t async_preemptions();

}  // namespace goro
