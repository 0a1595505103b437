// Asking by signal, and where a goroutine may be stopped.
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
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "contracts/getg.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/interrupt.h"
#include "contracts/services/program_text.h"
#include "contracts/services/scheduling.h"

namespace goro {

namespace {

std::atomic<std::uint64_t> preemptions{0};

bool is_running(const G* gp) {
  return gp->atomicstatus.load(std::memory_order_relaxed) ==
         static_cast<std::uint32_t>(GStatus::running);
}

// Frame records are {saved frame pointer, return address}; each lies above the one before. A
// library's functions have none, but a function that a library called has one, and that return
// address says so.
bool callers_may_be_stopped(const G* gp, std::uintptr_t record) {
  for (int frames = 0; frames < kMostFrames; ++frames) {
    if (record % 8 != 0 || record < gp->stack.lo || record + 16 > gp->stack.hi) return false;
    const auto* words = reinterpret_cast<const std::uintptr_t*>(record);
    if (words[0] == 0) return true;  // the goroutine's first function
    // Minus 1: behind a call of a function that does not return, another function may begin.
    if (text_at(words[1] - 1) == Text::other) return false;
    if (words[0] <= record) return false;
    record = words[0];
  }
  return true;
}

}  // namespace

void preempt_m(M* mp) {
  const G* gp = mp->curg.load(std::memory_order_acquire);
  if (async_preempt_is_off() || gp == nullptr || !is_running(gp)) return;
  const int thread = mp->tid.load(std::memory_order_acquire);
  // seq_cst, as in the handler: it sees our request, or we see that it has begun.
  if (thread == 0 || mp->signal_pending.exchange(true, std::memory_order_seq_cst)) return;
  if (syscall(SYS_tgkill, getpid(), thread, SIGURG) != 0) {
    mp->signal_pending.store(false, std::memory_order_relaxed);
  }
}

bool want_async_preempt(const G* gp) {
  return gp->preempt.load(std::memory_order_relaxed) && is_running(gp);
}

bool is_async_safe_point(const G* gp, const Interrupted& at) {
  const M* mp = gp->m;
  if (mp == nullptr || mp->curg.load(std::memory_order_relaxed) != gp) return false;
  if (mp->p == nullptr || mp->locks != 0 || mp->spare_state == nullptr) return false;
  if (!gp->stack.contains(at.sp) || at.sp - gp->stack.lo < kAsyncPreemptRoom) return false;
  return text_at(at.pc) == Text::program && callers_may_be_stopped(gp, at.fp);
}

void do_sig_preempt(G* gp, const Interrupted& at) {
  if (asking_is_over_now() || !want_async_preempt(gp)) return;
  if (is_async_safe_point(gp, at) && push_call(gp->m, at)) return;
  repeat_preemption(gp->m, gp);
}

std::uint64_t async_preemptions() {
  return preemptions.load(std::memory_order_relaxed);
}

}  // namespace goro

extern "C" void goro_async_preempt2(goro::G* gp) {
  goro::preemptions.fetch_add(1, std::memory_order_relaxed);
  goro::M* mp = goro::getm();
  if (mp->spare_state == nullptr) mp->spare_state = goro::saved_state_take();
  gp->preempt.store(false, std::memory_order_relaxed);
  goro::gopreempt_m(gp);
}

#else

namespace goro {

void preempt_m(M* /*mp*/) {}

std::uint64_t async_preemptions() {
  return 0;
}

}  // namespace goro

#endif
