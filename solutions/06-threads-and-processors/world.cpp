// Stopping the world, and the number of Ps.
//
// gcwaiting is the request; every M answers it when it next comes to schedule(), by giving up its P
// (gcstopm). The stopper counts: stopwait is the number of Ps that have yet to answer. Idle Ps and
// Ps in system calls cannot answer, so the stopper takes those itself, under sched.lock.
//
// A goroutine that computes does not come to schedule() by itself, so it is asked (preempt_all). A
// request can be missed, and a goroutine can enter a system call after the stopper looked; so the
// stopper asks and looks again every 100 µs until everybody has answered.
#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/random.h"
#include "contracts/services/scheduling.h"
#include "contracts/services/threads.h"
#include "contracts/stack.h"
#include "contracts/syscall.h"
#include "contracts/work_stealing.h"

namespace goro {

namespace {

constexpr std::int64_t kAskAgain = 100'000;  // nanoseconds

P* p_at(std::int32_t i) {
  return allp[static_cast<std::size_t>(i)];
}

P* p_new(std::int32_t id) {
  auto* pp = new P;
  pp->id = id;
  pp->random = random_seed(id);
  return pp;
}

// Takes everything from a P that is to go. Go: p.destroy.
void p_destroy(P* pp) {
  GQueue all;
  std::int32_t count = 0;
  bool inherit_time = false;
  // runq_get gives runnext first and then the ring, oldest first: the order in which they would
  // have run. They have waited longer than what the GRQ holds.
  while (G* gp = runq_get(pp, &inherit_time)) {
    all.push_back(gp);
    ++count;
  }
  all.push_back_all(&sched.runq);
  sched.runq = all;
  sched.runqsize.store(sched.runqsize.load(std::memory_order_relaxed) + count,
                       std::memory_order_relaxed);
  getm()->p->timers.take(&pp->timers);
  stackcache_clear(pp);
  sched.gfree_lock.lock();
  while (G* gp = pp->gfree.pop()) sched.gfree.push(gp);
  sched.gfree_lock.unlock();
  set_status(pp, PStatus::dead);
}

}  // namespace

P* procresize(std::int32_t n) {
  const std::int32_t old = sched.gomaxprocs.load(std::memory_order_relaxed);
  while (static_cast<std::int32_t>(allp.size()) < n) {
    allp.push_back(p_new(static_cast<std::int32_t>(allp.size())));
  }

  M* mp = getm();
  P* own = mp->p;
  if (own != nullptr && own->id < n) {
    set_status(own, PStatus::running);
  } else {
    if (own != nullptr) own->m = nullptr;
    mp->p = nullptr;
    own = p_at(0);
    own->m = nullptr;
    set_status(own, PStatus::idle);
    acquirep(own);
  }

  for (std::int32_t i = n; i < old; ++i) p_destroy(p_at(i));

  P* runnable = nullptr;
  for (std::int32_t i = n; i-- > 0;) {
    P* pp = p_at(i);
    if (pp == own) continue;
    set_status(pp, PStatus::idle);
    if (runq_empty(pp)) {
      pidleput(pp);
    } else {
      pp->m = mget();
      pp->link = runnable;
      runnable = pp;
    }
  }
  stealorder.reset(static_cast<std::uint32_t>(n));
  // release: whoever sees the new number sees the new Ps.
  sched.gomaxprocs.store(n, std::memory_order_release);
  return runnable;
}

// [stop_the_world]
void stop_the_world() {
  sched.lock.lock();
  sched.stopwait = sched.gomaxprocs.load(std::memory_order_relaxed);
  // seq_cst: from here on nobody takes up new work unseen. See find_work_elsewhere and
  // entersyscall.
  sched.gcwaiting.store(true, std::memory_order_seq_cst);
  sched.lock.unlock();
  preempt_all();

  sched.lock.lock();
  set_status(getm()->p, PStatus::gcstop);
  --sched.stopwait;
  gcstop_syscall_ps();
  while (P* pp = pidleget()) {
    set_status(pp, PStatus::gcstop);
    --sched.stopwait;
  }
  bool wait = sched.stopwait > 0;
  sched.lock.unlock();

  while (wait) {
    if (sched.stopnote.sleep_for(kAskAgain)) break;
    preempt_all();
    sched.lock.lock();
    // If this takes the last ones, nobody is left to wake us.
    wait = !gcstop_syscall_ps();
    sched.lock.unlock();
  }

  sched.lock.lock();
  // Under the lock: the last one may have woken us while we took the last P ourselves.
  sched.stopnote.clear();
  bool stopped = sched.stopwait == 0;
  for (std::int32_t i = 0; i < sched.gomaxprocs.load(std::memory_order_relaxed); ++i) {
    stopped = stopped && has_status(p_at(i), PStatus::gcstop);
  }
  check_invariants("stop_the_world");
  sched.lock.unlock();
  if (!stopped) fatal("stopTheWorld: not stopped");
}
// [/stop_the_world]

void start_the_world(std::int32_t procs) {
  sched.lock.lock();
  P* runnable = procresize(procs);
  sched.gcwaiting.store(false, std::memory_order_seq_cst);
  if (sched.sysmonwait.load(std::memory_order_relaxed)) {
    sched.sysmonwait.store(false, std::memory_order_relaxed);
    sched.sysmonnote.wakeup();
  }
  sched.lock.unlock();
  while (runnable != nullptr) {
    P* pp = runnable;
    runnable = pp->link;
    pp->link = nullptr;
    M* mp = pp->m;
    pp->m = nullptr;
    if (mp != nullptr) {
      if (mp->nextp != nullptr) fatal("startTheWorld: inconsistent mp->nextp");
      mp->nextp = pp;
      mp->park.wakeup();
    } else {
      sched.lock.lock();
      const std::int64_t id = m_reserve_id();
      sched.lock.unlock();
      newm(pp, false, id);
    }
  }
  // One more: there may be goroutines that nobody was started for. If there are many, each that
  // finds one starts the next.
  wakep();
}

void gcstopm() {
  M* mp = getm();
  if (mp->spinning) {
    mp->spinning = false;
    if (sched.nmspinning.fetch_sub(1) <= 0) fatal("gcstopm: negative nmspinning");
  }
  P* pp = releasep();
  sched.lock.lock();
  // The stop cannot have ended without us: it waits for this very P.
  if (!sched.gcwaiting.load(std::memory_order_relaxed)) fatal("gcstopm: not waiting for gc");
  set_status(pp, PStatus::gcstop);
  if (--sched.stopwait == 0) sched.stopnote.wakeup();
  sched.lock.unlock();
  stopm();
}

}  // namespace goro
