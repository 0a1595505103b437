// Where an M sleeps that waits for a time. One at a time; all others sleep on their notes.
//
// sched.lastpoll is 0 while somebody sleeps here, and sched.poll_until says how long. Both, and the
// names, are those of the network poller: an M that waits for a time can wait for the network as
// well.
#pragma once

#include <cstdint>

namespace goro {

// Sleeps until `when` (nanotime(); 0: there is nothing to wait for), or until netpoll_break, and
// takes an idle P then. True: this M has a P again. False: it has none, because there was nothing
// to wait for, or somebody sleeps here already (who is woken if that would last longer than
// `when`), or no P is idle, or run() is about to return. On g0, without a P, not spinning, with no
// lock held. Go: the part of findRunnable that calls netpoll(delay).
bool poll_until(std::int64_t when);

// There is a new timer, at `when`. Wakes whoever sleeps in poll_until if it would sleep longer; if
// nobody sleeps there, somebody should (wakep): the P that has the timer may be busy when its time
// comes, while others are idle. On any g0, with no lock held. Go: wakeNetPoller.
void wake_net_poller(std::int64_t when);

// Ends a poll_until, the present one or the next. Any thread. Go: netpollBreak.
void netpoll_break();

}  // namespace goro
