// The one thread that runs without a P, and so is never behind one.
//
// It does what a P cannot do for itself: take a P away from a thread that is blocked in the kernel,
// and ask a goroutine to give way that has run for too long. It looks every 20 µs while there is
// something to do, less and less often otherwise, and sleeps for good when every P is idle. Then an
// idle program costs nothing; the first goroutine that comes back from a system call or from the
// network wakes it. A timer does not: sysmon sleeps no longer than until the next one is due.
#include <algorithm>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/clock.h"
#include "contracts/services/observe.h"
#include "contracts/services/poller.h"
#include "contracts/services/threads.h"
#include "contracts/syscall.h"
#include "contracts/timers.h"

namespace goro {

namespace {

bool everybody_rests() {
  return sched.gcwaiting.load(std::memory_order_relaxed) ||
         sched.npidle.load(std::memory_order_relaxed) ==
             sched.gomaxprocs.load(std::memory_order_relaxed);
}

// How long sysmon may sleep while everybody rests. When a timer is due, an M takes a P without a
// look at sysmonwait.
std::int64_t longest_sleep() {
  const std::int64_t next = earliest_timer();
  return next == 0 ? kSysmonDeepSleep : std::min(kSysmonDeepSleep, next - nanotime());
}

// Sleeps until somebody wakes sysmon or a timer is due, if everybody rests. True if it was woken.
bool deep_sleep() {
  bool woken = false;
  sched.lock.lock();
  if (everybody_rests() && !sched.stopping.load(std::memory_order_relaxed)) {
    if (const std::int64_t longest = longest_sleep(); longest > 0) {
      // Under the lock: whoever takes an idle P looks at sysmonwait under it.
      sched.sysmonwait.store(true, std::memory_order_relaxed);
      sched.lock.unlock();
      woken = sched.sysmonnote.sleep_for(longest);
      sched.lock.lock();
      sched.sysmonwait.store(false, std::memory_order_relaxed);
      sched.sysmonnote.clear();
    }
  }
  sched.lock.unlock();
  return woken;
}

// Has the M of pp had its processor for at least half a slice since `tick` was taken?
bool has_really_run(const P* pp, const SysmonTick& tick) {
  const M* mp = pp->m.look();
  return mp == nullptr || m_cpu_time(mp) - tick.cpuwhen >= kForcePreempt / 2;
}

// The P's slice has lasted too long. Asks the goroutine to give way.
bool slice_is_over(P* pp, std::int64_t now) {
  SysmonTick& tick = pp->sysmontick;
  if (const std::uint32_t schedtick = pp->schedtick; tick.schedtick != schedtick) {
    tick.schedtick = schedtick;
    tick.schedwhen = now;
    const M* mp = pp->m.look();
    tick.cpuwhen = mp == nullptr ? 0 : m_cpu_time(mp);
    return false;
  }
  if (tick.schedwhen + kForcePreempt > now) return false;
  if (has_really_run(pp, tick)) preempt_one(pp);
  return true;
}

// Is it time to take pp from the system call that it is in?
bool syscall_lasts_too_long(P* pp, bool slice_over, std::int64_t now) {
  SysmonTick& tick = pp->sysmontick;
  // A call that was not there the last time: at least one round is its own.
  if (const std::uint32_t syscalltick = pp->syscalltick;
      !slice_over && tick.syscalltick != syscalltick) {
    tick.syscalltick = syscalltick;
    tick.syscallwhen = now;
    return false;
  }
  // Nobody needs the P. But not for ever: while it seems busy, sysmon cannot sleep deeply.
  return !runq_empty(pp) || sched.nmspinning.load() + sched.npidle.load() == 0 ||
         tick.syscallwhen + kForcePreempt <= now;
}

// A quick look that may be wrong: taking sched.lock for every busy P in every round would make
// sysmon a burden.
bool seems_to_be_in_syscall(const P* pp) {
  const M* mp = pp->m.look();
  const G* gp = mp == nullptr ? nullptr : mp->curg.load(std::memory_order_acquire);
  return gp != nullptr && gp->atomicstatus.load(std::memory_order_relaxed) ==
                              static_cast<std::uint32_t>(GStatus::syscall);
}

}  // namespace

std::uint32_t sysmon_delay(int idle, std::uint32_t last) {
  if (idle == 0) return kSysmonFirstDelay;
  const std::uint32_t delay = idle > kSysmonQuietRounds ? last * 2 : last;
  return delay < kSysmonLongestDelay ? delay : kSysmonLongestDelay;
}

// [retake]
int retake(std::int64_t now) {
  int taken = 0;
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_acquire);
  for (std::int32_t i = 0; i < procs; ++i) {
    P* pp = allp[static_cast<std::size_t>(i)];
    if (pp->status.load(std::memory_order_relaxed) !=
        static_cast<std::uint32_t>(PStatus::running)) {
      continue;
    }
    const bool slice_over = slice_is_over(pp, now);
    if (!seems_to_be_in_syscall(pp)) continue;
    // One thread more counts as running from here on: between our taking the P and handing it on,
    // its M can come back, find no P, and sleep. That is no deadlock, the P is here. Now, because
    // under the scan bit no lock may be taken.
    incidlelocked(-1);
    SyscallingThread thread;
    if (set_block_on_exit_syscall(pp, &thread)) {
      const bool take = syscall_lasts_too_long(pp, slice_over, now);
      if (take) thread.take_p();
      thread.resume();
      if (take) {
        ++taken;
        handoffp(pp);
      }
    }
    incidlelocked(1);
  }
  return taken;
}
// [/retake]

void sysmon() {
  sched.lock.lock();
  ++sched.nmsys;
  checkdead();
  sched.lock.unlock();
  int idle = 0;
  std::uint32_t delay = 0;
  while (!sched.stopping.load(std::memory_order_relaxed)) {
    delay = sysmon_delay(idle, delay);
    sysmon_pause(delay);
    if (schedtrace_interval() == 0 && everybody_rests() && deep_sleep()) {
      idle = 0;
      delay = kSysmonFirstDelay;
    }
    const std::int64_t now = nanotime();
    poll_network_if_overdue(now);
    if (retake(now) != 0) {
      idle = 0;
    } else {
      ++idle;
    }
    schedtrace_if_due(now);
  }
}

}  // namespace goro
