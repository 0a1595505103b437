// Birth, life and death of a goroutine.
//
// The delicate line is in park_m. A goroutine that is about to wait must be off its stack before
// anyone can ready it: otherwise the waker's M could run the goroutine while this M still stands on
// its stack. So gopark only writes down what to do, and park_m does it on g0: status first, then
// unlockf, which lets go of whatever kept wakers out. From that moment gp belongs to somebody else.
#include "contracts/lifecycle.h"

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/allgs.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"

namespace goro {

namespace {

constexpr int kTriesBeforeYield = 100;

constexpr std::uint32_t bit(GStatus status) {
  return 1U << static_cast<std::uint32_t>(status);
}

// The edges of a goroutine's life: from each status, the set of those it may go to.
constexpr std::uint32_t kMayBecome[] = {
    /* idle */ bit(GStatus::dead),
    /* runnable */ bit(GStatus::running) | bit(GStatus::copystack),
    /* running */ bit(GStatus::runnable) | bit(GStatus::syscall) | bit(GStatus::waiting) |
        bit(GStatus::dead) | bit(GStatus::copystack) | bit(GStatus::preempted),
    /* syscall */ bit(GStatus::running),
    /* waiting */ bit(GStatus::runnable) | bit(GStatus::copystack),
    /* 5 */ 0,
    /* dead */ bit(GStatus::runnable) | bit(GStatus::waiting),
    /* 7 */ 0,
    /* copystack */ bit(GStatus::runnable) | bit(GStatus::running) | bit(GStatus::waiting),
    /* preempted */ bit(GStatus::waiting),
};

bool legal(GStatus from, GStatus to) {
  return (kMayBecome[static_cast<std::uint32_t>(from)] >> static_cast<std::uint32_t>(to) & 1) != 0;
}

// Apart, so that casgstatus itself, which every switch calls, needs no frame.
__attribute__((noinline)) void casgstatus_after_yield(G* gp, GStatus from, GStatus to) {
  osyield();
  casgstatus(gp, from, to);
}

}  // namespace

// [casgstatus]
void casgstatus(G* gp, GStatus from, GStatus to) {
  if (!legal(from, to)) fatal_status("casgstatus: not an edge of a goroutine's life", gp, from, to);
  const auto old_status = static_cast<std::uint32_t>(from);
  // Only a goroutine that waits or is in a system call can meet somebody else: whoever holds its
  // scan bit. In every other status it has one owner, the caller, and a load and a store will do;
  // that is three locked instructions less in the life of a goroutine that never waits.
  const bool shared = from == GStatus::waiting || from == GStatus::syscall;
  for (int tries = 0;; ++tries) {
    std::uint32_t seen = gp->atomicstatus.load(std::memory_order_acquire);
    if (seen == old_status && !shared) {
      // release: show what we did to the next owner.
      gp->atomicstatus.store(static_cast<std::uint32_t>(to), std::memory_order_release);
      return;
    }
    // acq_rel: see what the last owner wrote, and show what we did to the next.
    if (seen == old_status && gp->atomicstatus.compare_exchange_weak(
                                  seen, static_cast<std::uint32_t>(to), std::memory_order_acq_rel,
                                  std::memory_order_relaxed)) {
      return;
    }
    if ((seen & ~kGScan) != old_status) {
      fatal_status("casgstatus: the goroutine is in another status", gp, from, to);
    }
    // Somebody holds the scan bit, for a few instructions (or the exchange failed for nothing). If
    // that takes long, its thread has lost its processor, perhaps to us.
    if (tries == kTriesBeforeYield) return casgstatus_after_yield(gp, from, to);
    cpu_relax();
  }
}
// [/casgstatus]

G* gfget(P* pp) {
  if (pp->gfree.empty()) {
    // A list has no atomics: whether the global one is empty is seen under the lock only. This is
    // not often, a refill lasts for 32 births; and a program that makes more Gs than ever pays
    // g_alloc too.
    sched.gfree_lock.lock();
    while (pp->gfree.size() < kGFreeKeepBelow && !sched.gfree.empty()) {
      pp->gfree.push(sched.gfree.pop());
    }
    sched.gfree_lock.unlock();
  }
  return pp->gfree.pop();
}

// [gfput]
void gfput(P* pp, G* gp) {
  pp->gfree.push(gp);
  if (pp->gfree.size() < kGFreeFlushAt) return;
  sched.gfree_lock.lock();
  while (pp->gfree.size() >= kGFreeKeepBelow) sched.gfree.push(pp->gfree.pop());
  sched.gfree_lock.unlock();
}
// [/gfput]

G* newproc1(P* pp, const Closure& closure, StackKind kind, std::uint64_t parent,
            std::uintptr_t pc) {
  if (closure.invoke == nullptr) fatal("go of nil func value");
  G* gp = gfget(pp);
  if (gp == nullptr) {
    gp = g_alloc();
    casgstatus(gp, GStatus::idle, GStatus::dead);
  }
  if (pp->goidcache == pp->goidcacheend) {
    // relaxed: only that no two Ps get the same batch matters, and the addition is one step.
    pp->goidcache = sched.goidgen.fetch_add(kGoidCacheBatch, std::memory_order_relaxed) + 1;
    pp->goidcacheend = pp->goidcache + kGoidCacheBatch;
  }
  gp->goid = pp->goidcache++;
  gp->closure = closure;
  gp->stack_kind = kind;
  gp->parent_goid = parent;
  gp->gopc = pc;
  gp->sched = Gobuf{0, gp};  // sp 0: g_prepare_to_run gives it a stack when it first runs
  // Whatever else the G has was cleared by goexit0, or by its construction.
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

// [park]
// flatten: what it calls in this file becomes a part of it. With the statuses known, casgstatus is
// a load, a comparison and a store.
[[gnu::flatten]] void park_m(G* gp) {
  M* mp = getm();
  casgstatus(gp, GStatus::running, GStatus::waiting);
  dropg();
  before_park(gp);  // may move the stack, so before anyone can run gp on it
  if (mp->waitunlockf != nullptr) {
    const auto unlockf = mp->waitunlockf;
    mp->waitunlockf = nullptr;
    // If it returns true, gp may be running on another M by now.
    if (!unlockf(gp, mp->waitlock)) {
      // What gp wanted to wait for is there already, and nobody else knows of gp: it goes on at
      // once, in the slice it has.
      casgstatus(gp, GStatus::waiting, GStatus::runnable);
      execute(gp, true);
    }
  }
  schedule();
}
// [/park]

// [ready]
[[gnu::flatten]] void ready(G* gp) {
  casgstatus(gp, GStatus::waiting, GStatus::runnable);
  runq_put(getm()->p, gp, true);
  wakep();  // after runq_put: whoever it wakes must find gp
}
// [/ready]

void goready(G* gp) {
  systemstack([gp] { ready(gp); });
}

[[gnu::flatten]] void gosched_m(G* gp) {
  casgstatus(gp, GStatus::running, GStatus::runnable);
  dropg();
  sched.lock.lock();
  globrunq_put(gp);
  sched.lock.unlock();
  wakep();
  schedule();
}

// [exit]
void goexit0(G* gp) {
  casgstatus(gp, GStatus::running, GStatus::dead);
  dropg();
  g_free_stack(gp);
  gp->param = nullptr;
  gp->waitreason = WaitReason::none;
  gp->preempt.store(false, std::memory_order_relaxed);
  gp->closure = Closure{};
  gp->sched = Gobuf{};
  // From here on gp is the list's. The M is on g0, so gp's stack could go before.
  gfput(getm()->p, gp);
  schedule();
}
// [/exit]

}  // namespace goro
