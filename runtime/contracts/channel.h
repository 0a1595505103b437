// Slot 09, channels: values go from hand to hand.
//
//        senders that wait                buffer (dataqsiz slots)          receivers that wait
//   sendq ─► sudog ─► sudog        recvx ─►│ v1 │ v2 │    │◄─ sendx        recvq ─► sudog ─► sudog
//            G7       G9                                                            G3       G5
//
// Invariants, under c->lock: sendq or recvq is empty (but for a goroutine whose select waits in
// both). qcount > 0: recvq is empty. qcount < dataqsiz: sendq is empty.
//
// A value goes the shortest way. If a receiver waits, the sender puts the value into the receiver's
// place, on another goroutine's stack, and makes it runnable; the buffer never sees it. If a sender
// waits at a full buffer, the receiver takes the oldest value and puts the sender's into the slot
// that came free, so values stay in order and the sender need not come back.
//
// Why another goroutine's stack may be written: a parked goroutine's stack does not move. But it
// moves when gopark is about to take place, so the address goes into the sudog only in the function
// that gopark calls when the goroutine is off its stack; c->lock is held until then, and nobody
// sees the sudog before.
//
// Locks. One channel's lock at a time, but for select, which takes them in the order of addresses.
// Inside it: sched.sudoglock. It is taken on the goroutine's own stack, between acquirem and
// releasem; a goroutine that parks leaves it to chanparkcommit to release the lock, on g0, and to
// count M::locks down. Goroutines are woken when the lock is released.
//
// Elements are moved under the lock by the functions of services/elements.h, which say what happens
// when a move throws. A partner that was taken from its queue for a move that threw is woken with
// G::param null: nothing happened to it, and it begins again.
//
// Threads that are not the runtime's come here too (getm() is null): they have no sudogs and cannot
// park; services/waiting.h has what they need.
//
// Go: chan.go.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/channel_lock.h"
#include "contracts/model.h"
#include "contracts/sudog.h"
#include "goro/detail/channel.h"

namespace goro {

// Sudogs that wait at a channel, first come, first served. Under the channel's lock; `first` is
// also looked at without it. Go: waitq.
struct Waitq {
  atomic<Sudog*> first{nullptr};
  Sudog* last = nullptr;

  [[nodiscard]] bool empty() const { return first.load(std::memory_order_relaxed) == nullptr; }

  // Puts s (next and prev null) last.
  void enqueue(Sudog* s);

  // Takes the first sudog out whose goroutine is ours to wake, or null. A sudog of a select is ours
  // if we change its goroutine's select_done from false to true; if somebody else has, the sudog is
  // dropped from the queue all the same.
  Sudog* dequeue();

  // Takes s out, if it is still there. Go: dequeueSudoG.
  void dequeue_sudog(Sudog* s);
};

// [hchan]
struct Hchan {
  detail::HandleCount handles{1};  // goro/detail/channel.h counts them

  ChannelLock lock;
  atomic<bool> closed{false};  // set once, under lock
  bool trivial = false;        // type->trivial
  std::uint32_t elemsize = 0;  // type->size

  // Values in the buffer; changed under lock, looked at without it.
  atomic<std::size_t> qcount{0};
  std::size_t dataqsiz = 0;  // room in the buffer
  std::byte* buf = nullptr;
  std::size_t sendx = 0;  // slot of the next send
  std::size_t recvx = 0;  // slot of the next receive
  Waitq recvq;
  Waitq sendq;
  const ElementType* type = nullptr;
  // Of a timer's channel; it looks as if it had no buffer (contracts/timers.h).
  RuntimeTimer* timer = nullptr;
};
// [/hchan]

// How an operation lets go of the locks that it holds: send and recv are called by select, too.
struct Unlock {
  void (*fn)(void* arg) = nullptr;
  void* arg = nullptr;
  void operator()() const { fn(arg); }
};

// A channel for elements of this type, with one handle. Throws Panic("makechan: size out of range")
// if the buffer would have more than kMaxBuffer bytes, std::bad_alloc if there is no memory for it.
// The buffer is aligned as the elements want it. Any stack. Go: makechan.
Hchan* makechan(const ElementType* type, std::size_t capacity);
inline constexpr std::size_t kMaxBuffer = std::size_t{1} << 47;

// Sends the element at `elem`, which is moved from if this returns true.
//   c null: false, or park for ever (chan_send_nil).
//   !block and it would have to wait, by a look without the lock: false.
// Then, under the lock: closed: Panic("send on closed channel"), without the lock. A receiver
// waits: send(). Room: into the buffer. !block: false. Else the goroutine waits in sendq
// (chan_send) with param null. Woken, param is its sudog, or null: then it begins again; if the
// sudog has no success, the channel was closed: the same Panic. Any stack; but g0
// cannot wait, and throws Panic("a goroutine's operation on the system stack") without the lock.
// Go: chansend.
bool chansend(Hchan* c, void* elem, bool block);

// Receives into `elem`, a receiver's place (ElementType). {true, true}: a value; {true, false}: the
// channel is closed and empty, and the place is untouched; {false, false}: it would have to wait,
// and !block. As chansend; the look without the lock must not take a channel for empty and open
// that is empty because it was closed and drained in between, so it reads in this order: empty
// (acquire, or the order is none), closed, and if it is closed, empty again. Go: chanrecv.
ReceiveResult chanrecv(Hchan* c, void* elem, bool block);

// Panic("close of nil channel"), Panic("close of closed channel"). Sets closed; takes all receivers
// and then all senders out, and wakes them without the lock and without success, the last first.
// Buffered values stay. Go: closechan.
void closechan(Hchan* c);

// The second half of a send to a receiver that waits: sg was taken out of recvq. Moves the element
// at `elem` into its place, calls unlockf, and wakes it with success. Under c->lock. Go: send.
void send(Hchan* c, Sudog* sg, void* elem, Unlock unlockf);

// The same for a receive from a sender that waits. Without a buffer: from the sender's hand into
// the place at `elem`. With one, which is full: the oldest value goes there, and the sender's into
// the slot that came free (refill_element; if no sender can be served, the slot stays free). Under
// c->lock. Go: recv.
void recv(Hchan* c, Sudog* sg, void* elem, Unlock unlockf);

}  // namespace goro
