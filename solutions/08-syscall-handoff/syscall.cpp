// Into a system call and back.
//
// The goroutine's status is the hinge. running→syscall gives everybody leave to take the P;
// syscall→running takes the leave back. Whoever takes the P holds the scan bit of the status
// meanwhile, and the second exchange waits for that bit. So after exitsyscall's exchange the M
// knows, by a plain look at its own field, whether it has its P still.
//
// In a system call an M may be left behind: run() returns, and everything it knew is gone. So
// entersyscall does all it has to do with the scheduler before the exchange, and exitsyscall asks
// leave_if_orphaned before it does anything: the fast path needs no question, because somebody who
// leaves an M behind has taken its P.
#include "contracts/syscall.h"

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/processors.h"
#include "contracts/scheduler.h"
#include "contracts/services/threads.h"

namespace goro {

namespace {

// A P begins or goes on to run: sysmon must not sleep for long. Under sched.lock.
void wake_sysmon() {
  if (!sched.sysmonwait.load(std::memory_order_relaxed)) return;
  sched.sysmonwait.store(false, std::memory_order_relaxed);
  sched.sysmonnote.wakeup();
}

void release_p(const SyscallingThread& thread, PStatus status) {
  thread.pp->status.store(static_cast<std::uint32_t>(status), std::memory_order_relaxed);
  thread.pp->m = nullptr;
  thread.mp->p = nullptr;
  ++thread.pp->syscalltick;
}

}  // namespace

void entersyscall() {
  M* mp = getm();
  mp->oldp = mp->p;
  // Sysmon sleeps only when all Ps are idle, which ours is not, or while the world is stopped: then
  // whoever starts it again wakes sysmon. So nothing is missed when it falls asleep after this
  // look.
  if (sched.sysmonwait.load(std::memory_order_relaxed)) {
    sched.lock.lock();
    wake_sysmon();
    sched.lock.unlock();
  }
  casgstatus(mp->curg.load(std::memory_order_relaxed), GStatus::running, GStatus::syscall);
}

// [exitsyscall]
bool exitsyscall() {
  M* mp = getm();
  casgstatus(mp->curg.load(std::memory_order_relaxed), GStatus::syscall, GStatus::running);
  if (mp->p == nullptr) {
    leave_if_orphaned();
    P* pp = exitsyscall_try_get_p(mp->oldp);
    if (pp == nullptr) return false;
    acquirep(pp);
  }
  mp->oldp = nullptr;
  ++mp->p->syscalltick;
  return true;
}
// [/exitsyscall]

P* exitsyscall_try_get_p(P* oldp) {
  // Its caches are ours. It runs on some other M now; if that is in a system call itself, it does
  // not need the P more than we do.
  SyscallingThread thread;
  if (oldp != nullptr && set_block_on_exit_syscall(oldp, &thread)) {
    thread.take_p();
    thread.resume();
    return oldp;
  }
  if (sched.npidle.load(std::memory_order_relaxed) == 0) return nullptr;
  sched.lock.lock();
  P* pp = pidleget();
  if (pp != nullptr) wake_sysmon();
  sched.lock.unlock();
  return pp;
}

// [no_p]
void exitsyscall_no_p(G* gp) {
  getm()->oldp = nullptr;
  casgstatus(gp, GStatus::running, GStatus::runnable);
  dropg();
  sched.lock.lock();
  bool locked = false;
  // Under the lock: whoever gives up a P looks at the GRQ under it.
  P* pp = pidleget();
  if (pp != nullptr) {
    wake_sysmon();
  } else {
    // In the GRQ it is everybody's: look now whether it is locked to us.
    locked = gp->lockedm != nullptr;
    globrunq_put(gp);
  }
  sched.lock.unlock();
  if (pp != nullptr) {
    acquirep(pp);
    execute(gp, false);
  }
  if (locked) {
    stoplockedm();
    execute(gp, false);
  }
  stopm();
  schedule();
}
// [/no_p]

void SyscallingThread::take_p() const {
  release_p(*this, PStatus::idle);
}

void SyscallingThread::gcstop_p() const {
  release_p(*this, PStatus::gcstop);
}

void SyscallingThread::resume() const {
  // release: the goroutine that leaves the call sees what was done to its M.
  gp->atomicstatus.store(static_cast<std::uint32_t>(GStatus::syscall), std::memory_order_release);
}

// [scan_bit]
bool set_block_on_exit_syscall(P* pp, SyscallingThread* thread) {
  if (pp->status.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(PStatus::running)) {
    return false;
  }
  // All of this may change while we read it. Ms and Gs are never freed during a run, so the worst
  // we can hold is the wrong one.
  M* mp = pp->m.look();
  if (mp == nullptr) return false;
  G* gp = mp->curg.load(std::memory_order_acquire);
  if (gp == nullptr) return false;
  auto in_syscall = static_cast<std::uint32_t>(GStatus::syscall);
  // Most Ps are not in a system call: a look costs less than an exchange that fails.
  if (gp->atomicstatus.load(std::memory_order_relaxed) != in_syscall) return false;
  // acquire: the M's and the P's wiring as they were when the call began.
  if (!gp->atomicstatus.compare_exchange_strong(
          in_syscall, in_syscall | kGScan, std::memory_order_acquire, std::memory_order_relaxed)) {
    return false;
  }
  *thread = SyscallingThread{gp, mp, pp};
  if (gp->m == mp && mp->p == pp && pp->m == mp) return true;
  thread->resume();
  return false;
}
// [/scan_bit]

bool gcstop_syscall_ps() {
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_relaxed);
  for (std::int32_t i = 0; i < procs; ++i) {
    SyscallingThread thread;
    if (!set_block_on_exit_syscall(allp[static_cast<std::size_t>(i)], &thread)) continue;
    thread.gcstop_p();
    thread.resume();
    --sched.stopwait;
  }
  return sched.stopwait == 0;
}

}  // namespace goro
