// Birth, life and death of a goroutine.
//
// The delicate line is in park_m. A goroutine that is about to wait must be off its stack before anyone
// can ready it: otherwise the waker's M could run the goroutine while this M still stands on its stack.
// So gopark only writes down what to do, and park_m does it on g0: status first, then unlockf, which lets
// go of whatever kept wakers out. From that moment gp belongs to somebody else.
#include "contracts/lifecycle.h"

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/allgs.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"

namespace goro {

namespace {

constexpr std::uint32_t edge(GStatus from, GStatus to) {
  return static_cast<std::uint32_t>(from) << 8 | static_cast<std::uint32_t>(to);
}

bool legal(GStatus from, GStatus to) {
  using S = GStatus;
  switch (edge(from, to)) {
    case edge(S::idle, S::dead):
    case edge(S::dead, S::runnable):
    case edge(S::dead, S::waiting):
    case edge(S::runnable, S::running):
    case edge(S::running, S::runnable):
    case edge(S::running, S::waiting):
    case edge(S::waiting, S::runnable):
    case edge(S::running, S::syscall):
    case edge(S::syscall, S::running):
    case edge(S::running, S::copystack):
    case edge(S::copystack, S::running):
    case edge(S::waiting, S::copystack):
    case edge(S::copystack, S::waiting):
    case edge(S::runnable, S::copystack):
    case edge(S::copystack, S::runnable):
    case edge(S::running, S::preempted):
    case edge(S::preempted, S::waiting):
    case edge(S::running, S::dead):
      return true;
    default:
      return false;
  }
}

}  // namespace

void casgstatus(G* gp, GStatus from, GStatus to) {
  if (!legal(from, to)) fatal_status("casgstatus: not an edge of a goroutine's life", gp, from, to);
  const auto old_status = static_cast<std::uint32_t>(from);
  for (;;) {
    std::uint32_t seen = old_status;
    // acq_rel: see what the last owner wrote, and show what we did to the next.
    if (gp->atomicstatus.compare_exchange_weak(seen, static_cast<std::uint32_t>(to),
                                               std::memory_order_acq_rel,
                                               std::memory_order_relaxed)) {
      return;
    }
    if ((seen & ~kGScan) != old_status) {
      fatal_status("casgstatus: the goroutine is in another status", gp, from, to);
    }
    cpu_relax();  // somebody scans the stack and will clear the bit, or the exchange failed for nothing
  }
}

G* gfget(P* pp) {
  if (pp->gfree.empty()) {
    sched.gfree_lock.lock();
    while (pp->gfree.size() < kGFreeKeepBelow && !sched.gfree.empty()) {
      pp->gfree.push(sched.gfree.pop());
    }
    sched.gfree_lock.unlock();
  }
  return pp->gfree.pop();
}

void gfput(P* pp, G* gp) {
  pp->gfree.push(gp);
  if (pp->gfree.size() < kGFreeFlushAt) return;
  sched.gfree_lock.lock();
  while (pp->gfree.size() >= kGFreeKeepBelow) sched.gfree.push(pp->gfree.pop());
  sched.gfree_lock.unlock();
}

G* newproc1(P* pp, const Closure& closure, StackKind kind, std::uint64_t parent,
            std::uintptr_t pc) {
  if (closure.invoke == nullptr) fatal("go of nil func value");
  G* gp = gfget(pp);
  if (gp == nullptr) {
    gp = g_alloc();
    casgstatus(gp, GStatus::idle, GStatus::dead);
  }
  if (pp->goidcache == pp->goidcacheend) {
    pp->goidcache = sched.goidgen.fetch_add(kGoidCacheBatch, std::memory_order_relaxed) + 1;
    pp->goidcacheend = pp->goidcache + kGoidCacheBatch;
  }
  gp->goid = pp->goidcache++;
  gp->closure = closure;
  gp->stack_kind = kind;
  gp->parent_goid = parent;
  gp->gopc = pc;
  gp->sched = Gobuf{0, gp};
  casgstatus(gp, GStatus::dead, GStatus::runnable);
  return gp;
}

void gopark(bool (*unlockf)(G* gp, void* lock), void* lock, WaitReason reason) {
  G* gp = getg();
  M* mp = gp->m;
  // Not on our own stack: park_m reads them when we are off it.
  mp->waitunlockf = unlockf;
  mp->waitlock = lock;
  gp->waitreason = reason;
  mcall(park_m);
}

void dropg() {
  M* mp = getm();
  G* gp = mp->curg.load(std::memory_order_relaxed);
  save_exception_state(gp, mp);
  gp->m = nullptr;
  mp->curg.store(nullptr, std::memory_order_relaxed);
}

void park_m(G* gp) {
  M* mp = getm();
  casgstatus(gp, GStatus::running, GStatus::waiting);
  dropg();
  before_park(gp);
  if (mp->waitunlockf != nullptr) {
    const auto unlockf = mp->waitunlockf;
    mp->waitunlockf = nullptr;
    if (!unlockf(gp, mp->waitlock)) {
      // What gp wanted to wait for is there already, and nobody else knows of gp: it goes on at once,
      // in the slice it has.
      casgstatus(gp, GStatus::waiting, GStatus::runnable);
      execute(gp, true);
    }
  }
  schedule();
}

void ready(G* gp) {
  casgstatus(gp, GStatus::waiting, GStatus::runnable);
  runq_put(getm()->p, gp, true);
  wakep();
}

void goready(G* gp) {
  systemstack([gp] { ready(gp); });
}

void gosched_m(G* gp) {
  casgstatus(gp, GStatus::running, GStatus::runnable);
  dropg();
  sched.lock.lock();
  globrunq_put(gp);
  sched.lock.unlock();
  wakep();
  schedule();
}

void goexit0(G* gp) {
  casgstatus(gp, GStatus::running, GStatus::dead);
  dropg();
  g_free_stack(gp);
  gp->param = nullptr;
  gp->waitreason = WaitReason::none;
  gp->preempt.store(false, std::memory_order_relaxed);
  gp->closure = Closure{};
  gp->sched = Gobuf{};
  gfput(getm()->p, gp);
  schedule();
}

}  // namespace goro
