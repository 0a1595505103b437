// Asking by signal, and what the signal's handler does.
//
// One signal per M at a time: the flag goes up before the signal is sent and down when the handler
// starts. A request that comes in between finds the flag up, and the handler that is about to run
// sees it, because it takes the flag down first and looks at the request then.
//
// The handler decides for this moment only. It neither waits nor remembers: whoever asked asks
// again if that matters, and the poisoned guard stays for the next prologue.
#include "contracts/preemption.h"

#if GORO_ASYNC_PREEMPT

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "contracts/chained_stack.h"
#include "contracts/getg.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/interrupt.h"
#include "contracts/services/program_text.h"
#include "contracts/services/scheduling.h"

namespace goro {

namespace {

bool is_running(const G* gp) {
  return gp->atomicstatus.load(std::memory_order_relaxed) ==
         static_cast<std::uint32_t>(GStatus::running);
}

// Each frame record lies above the one before. A library's functions have none, but a function that
// a library called has one, and that return address says so.
bool callers_may_be_stopped(const G* gp, std::uintptr_t record) {
  Stack within = gp->stack;
  for (int frames = 0; frames < kMostFrames; ++frames) {
    const bool seam = over_the_seam(gp, &within, record);
    if (record % 8 != 0 || record < within.lo || record > within.hi - 16) return false;
    const auto* words = reinterpret_cast<const std::uintptr_t*>(record);
    if (words[0] == 0) return true;  // the goroutine's first function
    const std::uintptr_t pc = words[seam ? 2 : 1];
    // Minus 1: behind a call of a function that does not return, another function may begin.
    if (!is_seam(pc) && text_at(pc - 1) == Text::other) return false;
    if (within.contains(words[0]) && words[0] <= record) return false;
    record = words[0];
  }
  return true;
}

}  // namespace

// [preempt_m]
void preempt_m(M* mp) {
  const G* gp = mp->curg.load(std::memory_order_acquire);
  if (async_preempt_is_off() || gp == nullptr || !is_running(gp)) return;
  const int thread = mp->tid.load(std::memory_order_acquire);
  // seq_cst, as in do_sig_preempt: it sees our request, or we see that it has begun.
  if (thread == 0 || mp->signal_pending.exchange(true, std::memory_order_seq_cst)) return;
  if (syscall(SYS_tgkill, getpid(), thread, SIGURG) != 0) {
    mp->signal_pending.store(false, std::memory_order_relaxed);
  }
}
// [/preempt_m]

bool want_async_preempt(const G* gp) {
  return gp->preempt.load(std::memory_order_relaxed) && is_running(gp);
}

// [safe_point]
bool is_async_safe_point(const G* gp, const Interrupted& at) {
  const M* mp = gp->m;
  if (mp == nullptr || mp->curg.load(std::memory_order_relaxed) != gp) return false;
  if (mp->p == nullptr || mp->locks != 0 || mp->spare_state == nullptr) return false;
  if (!gp->stack.contains(at.sp) || at.sp - gp->stack.lo < kAsyncPreemptRoom) return false;
  return text_at(at.pc) == Text::program && callers_may_be_stopped(gp, at.fp);
}
// [/safe_point]

// [do_sig_preempt]
bool do_sig_preempt(M* mp, G* gp, const Interrupted& at) {
  // Down before we look at the request, or one that comes in between would be lost.
  if (!mp->signal_pending.exchange(false, std::memory_order_seq_cst)) return false;
  if (gp->stack_kind == StackKind::system || !want_async_preempt(gp)) return true;
  if (!is_async_safe_point(gp, at) || !registers_fit(at)) {
    repeat_preemption(mp, gp);
    return true;
  }
  push_call(mp, at);
  return true;
}
// [/do_sig_preempt]

#if defined(__x86_64__)

void push_call(M* /*mp*/, const Interrupted& at) {
  auto& registers = static_cast<ucontext_t*>(at.ucontext)->uc_mcontext.gregs;
  const std::uintptr_t sp = at.sp - GORO_RED_ZONE - sizeof(at.pc);
  *reinterpret_cast<std::uintptr_t*>(sp) = at.pc;
  registers[REG_RSP] = static_cast<greg_t>(sp);
  registers[REG_RIP] = reinterpret_cast<greg_t>(&goro_async_preempt);
}

#else

void push_call(M* mp, const Interrupted& at) {
  auto* context = static_cast<ucontext_t*>(at.ucontext);
  SavedState* state = mp->spare_state;
  mp->spare_state = state->next;
  std::memcpy(state->registers + kSavedContext, context, sizeof(*context));
  const std::uintptr_t record = (at.sp - 16) & ~std::uintptr_t{15};
  reinterpret_cast<std::uintptr_t*>(record)[0] = at.fp;
  reinterpret_cast<std::uintptr_t*>(record)[1] = at.pc;
  mcontext_t& registers = context->uc_mcontext;
  registers.sp = record;
  registers.regs[29] = record;
  registers.regs[19] = reinterpret_cast<std::uintptr_t>(state);
  registers.pc = reinterpret_cast<std::uintptr_t>(&goro_async_preempt);
}

#endif

void async_preempt2(G* gp) {
  M* mp = getm();
  if (mp->spare_state == nullptr) mp->spare_state = saved_state_take();
  gp->preempt.store(false, std::memory_order_relaxed);
  gopreempt_m(gp);
}

}  // namespace goro

#endif
