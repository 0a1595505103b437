// What a signal's handler does to the goroutine that it interrupted.
#pragma once

#include "contracts/model.h"
#include "contracts/preemption.h"

namespace goro {

// Has the thread go on in goro_async_preempt, on the goroutine's stack, when the handler returns,
// with what that expects. `at` is a safe point. False: its registers cannot be saved (they have
// parts that a SavedState has no room for). Go: sigctxt.pushCall.
bool push_call(M* mp, const Interrupted& at);

// A list of free SavedStates, or a new one; null when there is no memory. On a g0 or outside.
SavedState* saved_state_take();

// Is everything over? Then nobody gives way any more (the process ends).
bool asking_is_over_now();

// GORO_DEBUG=asyncpreemptoff=1, or a processor that cannot save its registers.
bool async_preempt_is_off();

}  // namespace goro
