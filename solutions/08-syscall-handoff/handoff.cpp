// A P that has lost its M: to another M if there is anything to do, else to the idle list.
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/poller.h"
#include "contracts/services/scheduling.h"
#include "contracts/syscall.h"

namespace goro {

namespace {

bool others_have_work() {
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_acquire);
  for (std::int32_t i = 0; i < procs; ++i) {
    if (!runq_empty(allp[static_cast<std::size_t>(i)])) return true;
  }
  return false;
}

}  // namespace

void handoffp(P* pp) {
  // handoffp must start an M in every situation in which find_runnable would find a goroutine.
  if (!runq_empty(pp) || sched.runqsize.load(std::memory_order_relaxed) != 0) {
    startm(pp, false);
    return;
  }
  // Nobody looks for work: somebody must, there may be some in other queues.
  std::int32_t none = 0;
  if (sched.nmspinning.load() + sched.npidle.load() == 0 &&
      sched.nmspinning.compare_exchange_strong(none, 1)) {
    sched.needspinning.store(false);
    startm(pp, true);
    return;
  }
  sched.lock.lock();
  if (sched.gcwaiting.load(std::memory_order_relaxed)) {
    pp->status.store(static_cast<std::uint32_t>(PStatus::gcstop), std::memory_order_relaxed);
    if (--sched.stopwait == 0) sched.stopnote.wakeup();
    sched.lock.unlock();
    return;
  }
  if (sched.runqsize.load(std::memory_order_relaxed) != 0) {
    sched.lock.unlock();
    startm(pp, false);
    return;
  }
  // All others are idle, and goroutines wait for the network: an M must come to sleep there.
  if (network_needs_poller() &&
      sched.npidle.load() == sched.gomaxprocs.load(std::memory_order_relaxed) - 1) {
    sched.lock.unlock();
    startm(pp, false);
    return;
  }
  pidleput(pp);
  sched.lock.unlock();
  // Somebody who filled a queue just before saw no idle P, and woke nobody.
  if (others_have_work()) wakep();
  if (const std::int64_t when = pp->timers.wake_time(); when != 0) wake_net_poller(when);
}

}  // namespace goro
