// Slot 10, select: wait for whichever of several channels is ready first.
//
// Two orders of the cases. The poll order is random and says which ready case is taken, so that no
// case starves another. The lock order is the order of the channels' addresses, the same for every
// goroutine, so that two selects over the same channels cannot each hold what the other wants.
//
//   1. With all channels locked: look at the cases in poll order. The first that is ready is done,
//      and everything is unlocked.
//   2. None is ready: a sudog in every channel's queue, in lock order, and park. The locks are
//      released when the goroutine is off its stack.
//   3. Woken, G::param is the sudog that was served. Lock all channels again, take the other sudogs
//      out of their queues, and give all of them back.
//
// Between 2 and 3 several others may want to serve the goroutine, each under the lock of another
// channel. The one that changes G::select_done from false to true does; for the others the sudog
// does not exist (Waitq::dequeue). It is false again only in pass 3, with all locks held.
//
// Go: select.go.
#pragma once

#include <cstdint>

#include "contracts/channel.h"
#include "goro/detail/channel.h"

namespace goro {

inline constexpr int kMaxCases = 65536;

// Runs one of the `n` cases (at most kMaxCases; the caller sees to that), and returns its index
// and, for a receive, whether there was a value (else the channel is closed). Cases without a
// channel are never ready. !block: index -1 if none is ready. `order` is room for 2 * n numbers:
// the poll order is made in the first half, the lock order in the second. Cases and order may lie
// in the caller's frame; so may what `elem` points to, where it moves with the stack.
//
// The poll order: each case with a channel in turn goes to a random one of the places so far, ends
// included (cheaprandn, services/random.h), and whoever was there to the end. In pass 1 a send
// looks at `closed` first: Panic("send on closed channel"), with everything unlocked. A send and a
// receive are done by send and recv of slot 09, or with the buffer, as in chansend and chanrecv.
// Waits with reason `select` and param null. Woken with param null: begins again from the top.
// Woken without success: the channel was closed; a send throws the same Panic, a receive has no
// value.
//
// By a goroutine, on its own stack (elsewhere: Panic("select outside of goro::run")). Go: selectgo.
SelectResult selectgo(Scase* cases, std::uint16_t* order, int n, bool block);

}  // namespace goro
