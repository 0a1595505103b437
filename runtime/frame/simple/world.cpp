// Stopping the world, and the number of Ps. Go: proc.go (stopTheWorldWithSema, procresize).
#include "contracts/getg.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "contracts/stack.h"
#include "frame/simple/simple.h"
#include "goro/run.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

void preempt_all() {
  for (M* mp = allm; mp != nullptr; mp = mp->alllink) {
    if (mp == getm()) continue;
    G* gp = mp->curg.load(std::memory_order_relaxed);
    if (gp == nullptr) continue;
    // The request can be overwritten by a switch that is under way, or be meant for a goroutine
    // that has just stopped; whoever asks, asks again until it is answered.
    gp->preempt.store(true, std::memory_order_relaxed);
    gp->stackguard0.store(kStackPreempt, std::memory_order_relaxed);
    if (auto* slot = mp->guard_slot.load(std::memory_order_acquire); slot != nullptr) {
      slot->store(kStackPreempt, std::memory_order_relaxed);
    }
  }
}

void gcstopm() {
  M* mp = getm();
  if (mp->spinning) {
    mp->spinning = false;
    sched.nmspinning.fetch_sub(1);
  }
  sched.lock.lock();
  if (!sched.gcwaiting.load(std::memory_order_relaxed)) {
    sched.lock.unlock();
    return;
  }
  P* pp = releasep();
  pp->status.store(static_cast<std::uint32_t>(PStatus::gcstop), std::memory_order_relaxed);
  if (--sched.stopwait == 0) sched.stopnote.wakeup();
  stopm();
}

void stop_the_world() {
  sched.lock.lock();
  sched.stopwait = sched.gomaxprocs.load(std::memory_order_relaxed);
  sched.stopnote.clear();
  sched.gcwaiting.store(true, std::memory_order_release);
  getm()->p->status.store(static_cast<std::uint32_t>(PStatus::gcstop), std::memory_order_relaxed);
  --sched.stopwait;
  while (P* pp = pidle_get()) {
    pp->status.store(static_cast<std::uint32_t>(PStatus::gcstop), std::memory_order_relaxed);
    --sched.stopwait;
  }
  while (sched.stopwait > 0) {
    if (sched.stopping.load(std::memory_order_relaxed)) {
      // Ms leave with their Ps and will not answer. Nor do we come back.
      sched.lock.unlock();
      leave_if_asked();
    }
    preempt_all();
    sched.lock.unlock();
    m_wait_a_little();
    sched.lock.lock();
  }
  sched.lock.unlock();
}

void with_stopped_world_do(void (*f)(void*), void* arg) {
  // Whoever has it may need this P to stop: give it up in between.
  while (!sched.world_lock.try_lock()) yield();
  systemstack([&] {
    stop_the_world();
    f(arg);
    start_the_world();
  });
  sched.world_lock.unlock();
}

void procresize(std::int32_t n) {
  const std::int32_t old = sched.gomaxprocs.load(std::memory_order_relaxed);
  while (static_cast<std::int32_t>(allp.size()) < n) {
    auto* pp = new P;
    pp->id = static_cast<std::int32_t>(allp.size());
    pp->random = 2463534242U + static_cast<std::uint32_t>(pp->id) * 2654435761U;
#if GORO_SIMULATE
    if (sim::active) pp->random = static_cast<std::uint32_t>(sim::random_number()) | 1;
#endif
    allp.push_back(pp);
  }
  for (std::int32_t i = 0; i < n; ++i) {
    if (i >= old) {
      allp[static_cast<std::size_t>(i)]->status.store(static_cast<std::uint32_t>(PStatus::gcstop),
                                                      std::memory_order_relaxed);
    }
  }
  for (std::int32_t i = n; i < old; ++i) {
    P* pp = allp[static_cast<std::size_t>(i)];
    // Its goroutines go to the head of the GRQ, in their order: they have waited already.
    sched.lock.lock();
    bool inherit_time = false;
    GQueue all;
    std::int32_t count = 0;
    while (G* gp = runq_get(pp, &inherit_time)) {
      all.push_back(gp);
      ++count;
    }
    GQueue behind = sched.runq;
    sched.runq = all;
    sched.runq.push_back_all(&behind);
    sched.runqsize.store(sched.runqsize.load() + count);
    sched.lock.unlock();
    stackcache_clear(pp);
    sched.gfree_lock.lock();
    while (G* gp = pp->gfree.pop()) sched.gfree.push(gp);
    sched.gfree_lock.unlock();
    pp->status.store(static_cast<std::uint32_t>(PStatus::dead), std::memory_order_relaxed);
  }
  sched.gomaxprocs.store(n, std::memory_order_relaxed);
}

void start_the_world() {
  const std::int32_t n = sched.gomaxprocs.load(std::memory_order_relaxed);
  P* own = getm()->p;
  if (own->id >= n) {
    releasep();
    own->status.store(static_cast<std::uint32_t>(PStatus::dead), std::memory_order_relaxed);
    acquirep(allp[0]);
    own = allp[0];
  }
  own->status.store(static_cast<std::uint32_t>(PStatus::running), std::memory_order_relaxed);
  std::vector<M*> to_start;
  sched.lock.lock();
  sched.gcwaiting.store(false, std::memory_order_release);
  for (std::int32_t i = n; i-- > 0;) {
    P* pp = allp[static_cast<std::size_t>(i)];
    if (pp == own) continue;
    pp->status.store(static_cast<std::uint32_t>(PStatus::idle), std::memory_order_relaxed);
    if (runq_empty(pp)) {
      pidle_put(pp);
    } else {
      to_start.push_back(m_take(pp, false));
    }
  }
  sched.lock.unlock();
  for (M* mp : to_start) m_start(mp);
  wakep();
}

}  // namespace goro
