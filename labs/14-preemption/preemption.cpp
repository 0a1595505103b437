// Asking by signal, and what the signal's handler does.
// contracts/preemption.h is the specification; the steps are those of this lab's README.
#include "contracts/preemption.h"

#if GORO_ASYNC_PREEMPT

#include "contracts/not_implemented.h"

namespace goro {

// Step 1: one signal to the thread, unless one is on its way or there is no need.
void preempt_m(M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(14, 1);
}

// Step 2: was it asked, and is it running?
bool want_async_preempt(const G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(14, 2);
}

// Step 2: the M, the stack, the instruction, and every caller.
bool is_async_safe_point(const G* /*gp*/, const Interrupted& /*at*/) {
  GORO_NOT_IMPLEMENTED(14, 2);
}

// Step 3: another place to go on. Each architecture has its own.
#if defined(__x86_64__)
void push_call(M* /*mp*/, const Interrupted& /*at*/) {
  GORO_NOT_IMPLEMENTED(14, 3);
}
#else
void push_call(M* /*mp*/, const Interrupted& /*at*/) {
  GORO_NOT_IMPLEMENTED(14, 3);
}
#endif

// Step 3: the handler: flag, request, safe point.
bool do_sig_preempt(M* /*mp*/, G* /*gp*/, const Interrupted& /*at*/) {
  GORO_NOT_IMPLEMENTED(14, 3);
}

// Step 4: on g0, with the goroutine stopped.
void async_preempt2(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(14, 4);
}

}  // namespace goro

#endif
