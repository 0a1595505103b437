// Where an M sleeps that waits for a time or for the network. One at a time; all others sleep on
// their notes.
//
// sched.lastpoll is 0 while somebody sleeps here, and sched.poll_until says how long. It sleeps on
// a futex until the first descriptor is opened, and in epoll from then on (contracts/netpoll.h).
#pragma once

#include <cstdint>

#include "contracts/model.h"

namespace goro {

struct Polled {
  bool has_p = false;  // this M has a P again
  G* gp = nullptr;     // and this to run on it, or null
};

// Sleeps until `when` (nanotime(); 0: no time), until something happens to a descriptor that
// goroutines wait for, or until netpoll_break, and takes an idle P then. Of the goroutines that can
// go on, one is returned and the others are put into queues; all of them, into the GRQ, when no P
// is idle. No P: that; or there was nothing to wait for, neither a time nor the network; or
// somebody sleeps here already (who is woken if that would last longer than `when`); or run() is
// about to return. On g0, without a P, not spinning, with no lock held. Go: the part of
// findRunnable that calls netpoll(delay).
Polled poll_until(std::int64_t when);

// A goroutine that waited for the network and can go on, without sleeping; others there are go to
// queues. Null: there is none, or nobody waits for the network, or another M looks just now. One
// load when nobody waits. On g0, with a P. Go: the part of findRunnable that calls netpoll(0).
G* poll_network();

// The same when nobody has looked for 10 ms, as busy Ms do not; all of them go to queues. By
// sysmon. Go: sysmon.
void poll_network_if_overdue(std::int64_t now);

// Does anybody wait for the network, and nobody sleeps here? Then somebody must, and no P may be
// given up by an M that does not come here. Any thread.
bool network_needs_poller();

// There is a new timer, at `when`. Wakes whoever sleeps in poll_until if it would sleep longer; if
// nobody sleeps there, somebody should (wakep): the P that has the timer may be busy when its time
// comes, while others are idle. On any g0, with no lock held but one of a PollDesc. Go:
// wakeNetPoller.
void wake_net_poller(std::int64_t when);

// Ends a poll_until, the present one or the next. Any thread. Go: netpollBreak.
void netpoll_break();

// There is an epoll instance from now on: whoever sleeps on the futex comes out, to sleep there.
void poller_has_epoll();

}  // namespace goro
