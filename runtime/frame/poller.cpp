// Where an M sleeps until a time, or until the network has something. Go: findRunnable (the calls
// of netpoll), wakeNetPoller, the part of sysmon that polls.
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
//
// A goroutine that begins to wait for the network need wake nobody. If somebody sleeps in epoll,
// the descriptor is in there already. If not, the M that the goroutine ran on comes here when it
// has nothing else to do; and where it cannot (its P is handed on: handoffp), network_needs_poller
// says that somebody must.
//
// Where to sleep changes once, from the futex to epoll. Whoever makes the epoll instance sets
// poll_broken and wakes the futex whatever poll_broken was. A sleeper that has read "no epoll"
// finds poll_broken set, before it sleeps or in the kernel; nobody but itself clears it. One who
// breaks sets poll_broken first and asks then whether there is epoll; a sleeper asks for epoll
// first and looks at poll_broken then. All of it is sequentially consistent.
#include "contracts/services/poller.h"

#include <atomic>

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/netpoll.h"
#include "contracts/processors.h"
#include "contracts/services/clock.h"
#include "contracts/services/futex.h"
#include "contracts/syscall.h"
#include "contracts/timers.h"
#include "frame/threads.h"
#include "frame/trace.h"
#include "frame/waiting.h"

namespace goro {

namespace {

// One M at a time looks without sleeping: the others would find what it has left. Go: pollingNet.
std::atomic<bool> looking{false};

// Also when the last who waited for the network was taken out after this M had looked whether there
// is one: it saw nobody sleep here whom it would have to wake. Asked with lastpoll = 0, so one of
// the two sees the other.
bool must_look_around(std::int64_t when) {
  return sched.poll_broken.load() != 0 || sched.stopping.load() ||
         (when == 0 && netpoll_waiters.load() == 0);
}

// Until `when` (0: for ever), a break, or the end of the run.
void sleep_on_futex(std::int64_t when) {
  while (!must_look_around(when)) {
    if (when == 0) {
      futex_sleep(&sched.poll_broken, 0);
      continue;
    }
    const std::int64_t left = when - nanotime();
    if (left <= 0) break;
    futex_sleep_for(&sched.poll_broken, 0, left);
  }
}

// The same, or until somebody can go on who waited for the network. What else happens to
// descriptors does not end it.
// [sleep_in_epoll]
GQueue sleep_in_epoll(std::int64_t when, std::int32_t* count) {
  GQueue ready;
  *count = 0;
  while (*count == 0) {
    std::int64_t delay = -1;
    if (when != 0) {
      delay = when - nanotime();
      if (delay <= 0) break;
    }
    // After netpoll_inited: see above.
    if (must_look_around(when)) break;
    ready = netpoll(delay, count);
  }
  return ready;
}
// [/sleep_in_epoll]

// Breaks a sleep that would last longer than `when`.
void break_if_later(std::int64_t when) {
  const std::int64_t until = sched.poll_until.load();
  if (until == 0 || until > when) netpoll_break();
}

// Those of netpoll's list that go to queues. Uncounted when they are there: nobody takes the queues
// for empty and the network for waited for by none. By then they may have run, and an M sleeps in
// epoll for them that should find that all are deadlocked.
void inject(GQueue* ready, std::int32_t count) {
  injectglist(ready);
  if (count != 0 && netpoll_waiters.fetch_sub(count) == count && sched.lastpoll.load() == 0) {
    netpoll_break();
  }
}

// One to run now, and the others to queues.
G* take_first(GQueue* ready, std::int32_t count) {
  G* gp = ready->pop();
  if (gp == nullptr) return nullptr;
  trace_goroutine(trace::Kind::readied, gp);
  casgstatus(gp, GStatus::waiting, GStatus::runnable);
  inject(ready, count);
  return gp;
}

}  // namespace

Polled poll_until(std::int64_t when) {
  if (when == 0 && netpoll_waiters.load() == 0) return {};
  if (sched.lastpoll.exchange(0) == 0) {
    if (when != 0) break_if_later(when);
    return {};
  }
  sched.poll_until.store(when == 0 ? kMaxWhen : when);
  M* mp = getm();
  mp->blocked = true;
  trace_thread(trace::Kind::m_polls);
  GQueue ready;
  std::int32_t count = 0;
  if (netpoll_inited()) {
    ready = sleep_in_epoll(when, &count);
  } else {
    sleep_on_futex(when);
  }
  mp->blocked = false;
  trace_thread(trace::Kind::m_wakes);
  sched.poll_broken.store(0);
  sched.poll_until.store(0);
  sched.lastpoll.store(nanotime());
  if (sched.stopping.load()) return {};
  sched.lock.lock();
  P* pp = pidleget();
  // Whoever comes from the network enters no system call that would wake sysmon, and may compute.
  if (pp != nullptr && count != 0) sysmon_wake();
  sched.lock.unlock();
  if (pp == nullptr) {
    inject(&ready, count);
    return {};
  }
  acquirep(pp);
  return {true, take_first(&ready, count)};
}

G* poll_network() {
  trace_thread(trace::Kind::m_looks);
  if (netpoll_waiters.load(std::memory_order_relaxed) == 0) return nullptr;
  // Somebody sleeps in epoll and is woken by whatever happens.
  if (sched.lastpoll.load() == 0 || looking.exchange(true)) return nullptr;
  std::int32_t count = 0;
  GQueue ready = netpoll(0, &count);
  looking.store(false);
  return take_first(&ready, count);
}

void poll_network_if_overdue(std::int64_t now) {
  if (netpoll_waiters.load(std::memory_order_relaxed) == 0) return;
  std::int64_t last = sched.lastpoll.load();
  if (last == 0 || last + kForcePreempt > now) return;
  if (!sched.lastpoll.compare_exchange_strong(last, now)) return;
  std::int32_t count = 0;
  GQueue ready = netpoll(0, &count);
  if (count == 0) return;
  // An M that we start may run them all and come to rest before we are done; sysmon does not count
  // as running, and there is no deadlock as long as it has some in its hands.
  incidlelocked(-1);
  inject(&ready, count);
  incidlelocked(1);
}

bool network_needs_poller() {
  return netpoll_waiters.load() != 0 && sched.lastpoll.load() != 0;
}

void wake_net_poller(std::int64_t when) {
  if (sched.lastpoll.load() == 0) {
    break_if_later(when);
  } else {
    wakep();
  }
}

void netpoll_break() {
  if (sched.poll_broken.exchange(1) != 0) return;
  if (netpoll_inited()) {
    netpoll_wake();
  } else {
    futex_wakeup(&sched.poll_broken, 1);
  }
}

void poller_has_epoll() {
  sched.poll_broken.store(1);
  futex_wakeup(&sched.poll_broken, 1);
}

}  // namespace goro
