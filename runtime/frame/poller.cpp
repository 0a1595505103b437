// Where an M sleeps until a time. Go: findRunnable (the call of netpoll), wakeNetPoller.
//
// Two of them may meet in four ways:
//   - A timer is set while an M is on the way here. That M had counted its P idle before it read
//     the timers; so either it saw the timer, or whoever set it sees an idle P, and wakes one
//     (wakep). See contracts/processors.h.
//   - A timer is set while an M sleeps here: poll_until tells whether it has to be woken. Between
//     lastpoll = 0 and poll_until it has not told: then it is woken. poll_broken is remembered
//     until the next sleep, so a break is never too early.
//   - An M comes here while another one sleeps: as if it had set the timer that it wants to wait
//     for.
//   - A break that nobody needed any more: the next sleep ends at once, and its M looks around.
#include "contracts/services/poller.h"

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/services/clock.h"
#include "contracts/services/futex.h"

namespace goro {

namespace {

// Until `when`, a break, or the end of the run.
void sleep_until_broken(std::int64_t when) {
  M* mp = getm();
  mp->blocked = true;
  while (sched.poll_broken.load() == 0 && !sched.stopping.load()) {
    const std::int64_t left = when - nanotime();
    if (left <= 0) break;
    futex_sleep_for(&sched.poll_broken, 0, left);
  }
  mp->blocked = false;
  sched.poll_broken.store(0);
}

// Breaks a sleep that would last longer than `when`.
void break_if_later(std::int64_t when) {
  const std::int64_t until = sched.poll_until.load();
  if (until == 0 || until > when) netpoll_break();
}

}  // namespace

bool poll_until(std::int64_t when) {
  if (when == 0) return false;
  if (sched.lastpoll.exchange(0) == 0) {
    break_if_later(when);
    return false;
  }
  sched.poll_until.store(when);
  sleep_until_broken(when);
  sched.poll_until.store(0);
  sched.lastpoll.store(nanotime());
  if (sched.stopping.load()) return false;
  sched.lock.lock();
  P* pp = pidleget();
  sched.lock.unlock();
  if (pp == nullptr) return false;
  acquirep(pp);
  return true;
}

void wake_net_poller(std::int64_t when) {
  if (sched.lastpoll.load() == 0) {
    break_if_later(when);
  } else {
    wakep();
  }
}

void netpoll_break() {
  if (sched.poll_broken.exchange(1) == 0) futex_wakeup(&sched.poll_broken, 1);
}

}  // namespace goro
