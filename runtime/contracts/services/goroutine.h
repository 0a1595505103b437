// Between the slots: switching with everything that has to be told about it, and a goroutine's
// stack.
#pragma once

#include <type_traits>
#include <utility>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/services/sanitizer.h"

namespace goro {

// goro_mcall, with the sanitizers told that the stack changes. What runtime code calls. Always
// inlined: gopark has said to its M what to do, and at a prologue it could lose that M.
[[gnu::always_inline]] inline void mcall(void (*fn)(G* gp)) {
#if GORO_GROWABLE_STACKS
  goro_mcall(fn);
#else
  sanitizer_mcall(fn);
#endif
}

// goro_gogo to a goroutine that execute has prepared, likewise. On g0.
[[noreturn, gnu::always_inline]] inline void switch_to(G* gp) {
#if GORO_GROWABLE_STACKS
  goro_gogo(&gp->sched);
#else
  sanitizer_switch_to(gp);
#endif
}

// goro_systemstack for any callable without arguments or result. It may capture by reference.
template <typename F>
void systemstack(F&& f) {
  using Fn = std::remove_reference_t<F>;
  auto call = [](void* arg) { (*static_cast<Fn*>(arg))(); };
#if GORO_GROWABLE_STACKS
  goro_systemstack(call, const_cast<std::remove_const_t<Fn>*>(&f));
#else
  sanitizer_systemstack(call, const_cast<std::remove_const_t<Fn>*>(&f));
#endif
}

// Before gp runs: a stack and a first frame if it has none yet, and the guard, kStackPreempt if it
// was asked to give way while it waited. On g0, with a P.
void g_prepare_to_run(G* gp);

// Gives a dead goroutine's stack back, and what an unwinding left behind. On g0, with a P.
void g_free_stack(G* gp);

// gp is about to wait: shrinks a large stack that has been little used for a while. On g0.
void before_park(G* gp);

}  // namespace goro
