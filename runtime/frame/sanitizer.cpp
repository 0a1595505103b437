#include "contracts/services/sanitizer.h"

#if !GORO_GROWABLE_STACKS

#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

#include "contracts/context_switch.h"
#include "contracts/getg.h"

#if defined(__SANITIZE_THREAD__)
#define GORO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GORO_TSAN 1
#endif
#endif

#if defined(GORO_TSAN)
#include <sanitizer/tsan_interface.h>
#else
#define GORO_ASAN 1
#include <sanitizer/asan_interface.h>
#endif

namespace goro {

namespace {

// Before a switch from `from` (null: it will not come back) to a stack of these bounds.
void leave(G* from, const void* lo, std::size_t size, void* to_fiber) {
#if defined(GORO_ASAN)
  __sanitizer_start_switch_fiber(from != nullptr ? &from->asan_fake_stack : nullptr, lo, size);
  static_cast<void>(to_fiber);
#else
  static_cast<void>(from);
  static_cast<void>(lo);
  static_cast<void>(size);
  __tsan_switch_to_fiber(to_fiber, 0);
#endif
}

void arrive(G* at) {
#if defined(GORO_ASAN)
  __sanitizer_finish_switch_fiber(at != nullptr ? at->asan_fake_stack : nullptr, nullptr, nullptr);
#else
  static_cast<void>(at);
#endif
}

void arrive_on_g0(G* gp) {
  M* mp = gp->m;
  arrive(mp->g0);
  mp->mcall_fn(gp);
}

}  // namespace

void sanitizer_adopt_thread(M* mp) {
  pthread_attr_t attr;
  void* lo = nullptr;
  std::size_t size = 0;
  pthread_getattr_np(pthread_self(), &attr);
  pthread_attr_getstack(&attr, &lo, &size);
  pthread_attr_destroy(&attr);
  mp->thread_stack_lo = lo;
  mp->thread_stack_size = size;
#if defined(GORO_TSAN)
  mp->g0->tsan_fiber = __tsan_get_current_fiber();
#endif
}

void sanitizer_leave_thread(M* mp) {
#if defined(GORO_TSAN)
  // It may have left from the system stack of a goroutine, whose fiber is about to be destroyed.
  if (__tsan_get_current_fiber() != mp->g0->tsan_fiber) {
    __tsan_switch_to_fiber(mp->g0->tsan_fiber, 0);
  }
#else
  static_cast<void>(mp);
#endif
}

void sanitizer_mcall(void (*fn)(G* gp)) {
  G* gp = getg();
  M* mp = gp->m;
  mp->mcall_fn = fn;
  leave(gp, mp->thread_stack_lo, mp->thread_stack_size, mp->g0->tsan_fiber);
  goro_mcall(arrive_on_g0);
  arrive(gp);
}

void sanitizer_switch_to(G* gp) {
#if defined(GORO_TSAN)
  if (gp->tsan_fiber == nullptr) gp->tsan_fiber = __tsan_create_fiber(0);
#endif
  leave(gp->m->g0, reinterpret_cast<const void*>(gp->stack.lo), gp->stack.size(), gp->tsan_fiber);
  goro_gogo(&gp->sched);
}

void sanitizer_first_entry() {
  arrive(nullptr);
}

void sanitizer_forget(G* gp) {
#if defined(GORO_TSAN)
  if (gp->tsan_fiber != nullptr) __tsan_destroy_fiber(gp->tsan_fiber);
#endif
  gp->tsan_fiber = nullptr;
  gp->asan_fake_stack = nullptr;
}

void sanitizer_fresh([[maybe_unused]] void* at, [[maybe_unused]] std::size_t bytes) {
#if defined(GORO_ASAN)
  __asan_unpoison_memory_region(at, bytes);
#endif
}

#if defined(GORO_ASAN)

namespace {

struct OnG0 {
  void (*fn)(void*);
  void* arg;
  G* gp;
};

void run_on_g0(void* arg) {
  const auto* call = static_cast<OnG0*>(arg);
  G* g0 = call->gp->m->g0;
  arrive(g0);
  call->fn(call->arg);
  leave(g0, reinterpret_cast<const void*>(call->gp->stack.lo), call->gp->stack.size(), nullptr);
}

}  // namespace

void sanitizer_systemstack(void (*fn)(void* arg), void* arg) {
  G* gp = getg();
  if (gp == nullptr || on_g0()) {
    fn(arg);
    return;
  }
  OnG0 call{fn, arg, gp};
  leave(gp, gp->m->thread_stack_lo, gp->m->thread_stack_size, nullptr);
  goro_systemstack(run_on_g0, &call);
  arrive(gp);
}

#else

// TSan follows calls, not stack pointers: a call that returns needs no telling.
void sanitizer_systemstack(void (*fn)(void* arg), void* arg) {
  goro_systemstack(fn, arg);
}

#endif

}  // namespace goro

#endif
