// Waiting beside a P whose goroutines wake one another all the time.
#pragma once

namespace goro {

// For an M that has found no work anywhere, has given up its P and still counts as spinning. True:
// it has a P again, and shall look from the top. False: there is nothing to wait for, or no P left;
// it has none, and goes to sleep as if this had not been called. On g0, with no lock held.
//
// The goroutines of a pair wake each other, thousands of times in a millisecond. Each goes to a
// runnext that is taken a moment later: nothing that a thief should touch, and yet, with an idle P
// beside them and nobody who spins, each is a reason to wake an M. That M comes, finds what it may
// not take, and goes to sleep again, to be woken by the next. So it does not go to sleep: it looks
// every few microseconds whether that is still all that happens. While it does, nobody is woken,
// and the pair has its P and its channels to itself (contracts/one_p.h).
//
// That is so while one P only is busy, its ring does not move, its goroutines wake others at
// channels, and neither timers nor the network would be left alone. Go has nothing like it.
bool watch_handovers();

}  // namespace goro
