// getg(): which goroutine this thread is running. Go: the compiler's getg, a register there.
//
// A compiler may compute the address of a thread-local once and keep it across a call, but a
// goroutine can park in that call and go on on another thread. So the load is assembly that is done
// again at every use, and nothing in the runtime reads a thread_local across a switch in any other
// way.
#pragma once

#include "contracts/model.h"

// nullptr on a thread that is not the runtime's; an M's g0 while it runs the scheduler.
extern "C" __attribute__((tls_model("initial-exec"))) thread_local goro::G* goro_tls_g;

namespace goro {

// [getg]
[[gnu::always_inline]] inline G* getg() {
  G* gp;
#if defined(__x86_64__) && (!defined(__PIC__) || defined(__PIE__))
  asm volatile("movq %%fs:goro_tls_g@tpoff, %0" : "=r"(gp));
#elif defined(__x86_64__)  // for a shared library
  asm volatile(
      "movq goro_tls_g@gottpoff(%%rip), %0\n\t"
      "movq %%fs:(%0), %0"
      : "=&r"(gp));
#elif defined(__aarch64__)
  std::uintptr_t base;
  asm volatile(
      "mrs %1, tpidr_el0\n\t"
      "adrp %0, :gottprel:goro_tls_g\n\t"
      "ldr %0, [%0, :gottprel_lo12:goro_tls_g]\n\t"
      "ldr %0, [%0, %1]"
      : "=&r"(gp), "=&r"(base));
#else
#error "goro runs on x86-64 and ARM64"
#endif
  return gp;
}
// [/getg]

// The M of this thread, nullptr on a thread that is not the runtime's. Go: getg().m
[[gnu::always_inline]] inline M* getm() {
  G* gp = getg();
  M* mp = gp == nullptr ? nullptr : gp->m.get();
#if !defined(__clang__)
  // Most callers know that there is one. gcc follows the null into them and warns; clang leaves the
  // question out there.
  asm("" : "+r"(mp));
#endif
  return mp;
}

// True on an M's own stack, where nothing may park and every call has room.
[[gnu::always_inline]] inline bool on_g0() {
  G* gp = getg();
  return gp != nullptr && gp->stack_kind == StackKind::system;
}

}  // namespace goro
