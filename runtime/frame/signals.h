// SIGQUIT's dump, and a fixed stack that ran into its guard page.
#pragma once

#include "contracts/model.h"

namespace goro {

// Installs the handlers; they stay until signals_remove. Handlers that were there before come back
// then, and get every signal that is not ours.
void signals_install();
void signals_remove();

// Gives this thread a signal stack of its own, if it has none: a handler must not run on a small
// stack.
void signals_enter_thread(M* mp);
void signals_leave_thread(M* mp);

}  // namespace goro
