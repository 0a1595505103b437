// Slot 04, local-run-queue: runnext and the ring of 256.
//
//          runnext      head                         tail
//          ┌────┐        ▼                             ▼
//          │ G7 │   ┌────┬────┬────┬────┬────┬────┬────┐
//          └────┘   │ G1 │ G2 │ G3 │ …  │    │    │    │   256 slots, index mod 256
//                   └────┴────┴────┴────┴────┴────┴────┘
//     owner and thieves take here              only the owner puts here
//
// One producer (the M that owns the P), many consumers (the owner and thieves). Head and tail run
// freely mod 2^32; tail - head is the length. Consumers claim by a compare-and-swap of the head;
// the owner publishes by a store of the tail. No lock.
//
//   tail: the owner stores it with release, others load it with acquire. Whoever sees the new tail
//     sees the slot, and what was written to the G in it. The owner loads it relaxed.
//   head: consumers move it by a compare-and-swap with release; all load it with acquire. So the
//     owner uses a slot again only after whoever took it has read it.
//   slots: relaxed. A copy of one is a guess until the head was moved past it.
//   runnext: the owner may put anything there; others may only take (compare-and-swap to null).
//     seq_cst, because the wake-up rule needs it: an M that goes idle announces that first and
//     looks at runnext then; the owner fills runnext first and looks for idle Ps then (wakep).
//
// Go: proc.go (runqput, runqputslow, runqputbatch, runqget, runqempty).
#pragma once

#include "contracts/model.h"

namespace goro {

// Puts a runnable gp on pp's queue. next = true: into runnext; whoever was there is kicked out to
// the tail. next = false: to the tail. A full ring: runq_put_slow. Only the owner of pp, on g0.
void runq_put(P* pp, G* gp, bool next);

// Moves half of a full ring (the oldest 128) and then gp, 129 in all and in that order, to the tail
// of the GRQ (globrunq_put_batch under sched.lock). `head` and `tail` are what the caller read.
// Writes to none of the 128 before the head has moved: until then they may be a thief's. False when
// the head moved meanwhile (a thief took some): the ring has room now, and the caller tries again.
// Fatal "runq_put_slow: queue is not full" when tail - head is not 256. Only the owner of pp,
// on g0.
bool runq_put_slow(P* pp, G* gp, std::uint32_t head, std::uint32_t tail);

// Puts as many of the Gs of `queue` on the tail as fit, in order, with one store of the tail; the
// rest stays in `queue`. Returns how many it put. runnext is left alone. Only the owner of pp, on
// g0.
std::int32_t runq_put_batch(P* pp, GQueue* queue);

// The next G of pp, or null. runnext first: then *inherit_time = true, it shares the time slice of
// whoever put it there. Else the oldest of the ring, *inherit_time = false; also false with null.
// Only the owner, on g0.
G* runq_get(P* pp, bool* inherit_time);

// True if pp has nothing to run, at some moment during the call. Reading head, tail and runnext one
// after the other can miss a G that moves from runnext to the ring in between (it is in neither
// place when looked at), so the tail is read again. Acquire keeps the loads in this order. Any
// thread. Never spuriously true.
bool runq_empty(P* pp);

}  // namespace goro
