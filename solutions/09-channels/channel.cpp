// Channels: who gives what to whom. contracts/channel.h says which invariants hold under the lock.
//
// Each operation first looks for a partner, then at the buffer, then it waits. So a value never
// takes a detour through the buffer when somebody waits for it, and nobody waits while the buffer
// could serve it.
#include "contracts/channel.h"

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/elements.h"
#include "contracts/services/waiting.h"

namespace goro {

namespace {

// What chanparkcommit needs: in the frame of the goroutine that parks, so that `elem` moves with
// the stack.
// [parking]
struct Parking {
  Hchan* c;
  Sudog* sg;
  void* elem;
};

// The goroutine is off its stack, which stays where it is from here on.
bool chanparkcommit(G* /*gp*/, void* arg) {
  auto* parking = static_cast<Parking*>(arg);
  Hchan* c = parking->c;
  parking->sg->elem = parking->elem;
  --getm()->locks;
  // From here on the goroutine may run elsewhere.
  c->lock.unlock();
  return true;
}
// [/parking]

void unlock_channel(void* c) {
  static_cast<Hchan*>(c)->lock.unlock();
}

// Parks the running goroutine in q, one of c's queues. True: it was served, or c was closed
// (*success tells which). False: it begins again. Under c->lock, with M::locks 1; both are
// released.
bool wait_in(Hchan* c, Waitq* q, void* elem, WaitReason reason, bool* success) {
  G* gp = getg();
  if (gp->stack_kind == StackKind::system) {
    c->lock.unlock();
    releasem(gp->m);
    throw_panic("a goroutine's operation on the system stack");
  }
  Sudog* mysg = acquire_sudog();
  mysg->g = gp;
  mysg->c = c;
  gp->param = nullptr;
  q->enqueue(mysg);
  Parking parking{c, mysg, elem};
  gopark(chanparkcommit, &parking, reason);

  // Whoever woke us took mysg out of the queue: it is ours again.
  const bool served = gp->param != nullptr;
  gp->param = nullptr;
  *success = mysg->success;
  mysg->success = false;
  mysg->elem = nullptr;
  mysg->c = nullptr;
  M* mp = acquirem();
  release_sudog(mysg);
  releasem(mp);
  return served;
}

// Would a send have to wait? A hint without the lock. Go: full.
bool full(const Hchan* c) {
  if (c->dataqsiz == 0) return c->recvq.empty();
  return c->qcount.load(std::memory_order_relaxed) == c->dataqsiz;
}

// Would a receive have to wait? Likewise; acquire: what is read afterwards is younger. Go: empty.
bool empty(const Hchan* c) {
  if (c->dataqsiz == 0) return c->sendq.first.load(std::memory_order_acquire) == nullptr;
  return c->qcount.load(std::memory_order_acquire) == 0;
}

std::size_t after(const Hchan* c, std::size_t i) {
  return i + 1 == c->dataqsiz ? 0 : i + 1;
}

// Under the lock, so a load and a store will do.
void change_count(Hchan* c, std::ptrdiff_t by) {
  c->qcount.store(c->qcount.load(std::memory_order_relaxed) + static_cast<std::size_t>(by),
                  std::memory_order_relaxed);
}

}  // namespace

void Waitq::enqueue(Sudog* s) {
  s->next = nullptr;
  s->prev = last;
  if (last != nullptr) {
    last->next = s;
  } else {
    first.store(s, std::memory_order_relaxed);
  }
  last = s;
}

Sudog* Waitq::dequeue() {
  for (;;) {
    Sudog* s = first.load(std::memory_order_relaxed);
    if (s == nullptr) return nullptr;
    first.store(s->next, std::memory_order_relaxed);
    if (s->next == nullptr) {
      last = nullptr;
    } else {
      s->next->prev = nullptr;
      s->next = nullptr;  // dequeue_sudog: not here any more
    }
    // A select waits in several queues, under several locks: whoever is first gets it.
    bool no = false;
    if (s->is_select && !s->g->select_done.compare_exchange_strong(no, true)) continue;
    return s;
  }
}

void Waitq::dequeue_sudog(Sudog* s) {
  // Without neighbours it is the only one, or not here any more.
  if (s->prev == nullptr && s->next == nullptr && first.load(std::memory_order_relaxed) != s) {
    return;
  }
  if (s->prev != nullptr) {
    s->prev->next = s->next;
  } else {
    first.store(s->next, std::memory_order_relaxed);
  }
  if (s->next != nullptr) {
    s->next->prev = s->prev;
  } else {
    last = s->prev;
  }
  s->next = s->prev = nullptr;
}

bool chansend(Hchan* c, void* elem, bool block) {
  if (c == nullptr) {
    if (!block) return false;
    park_for_ever(WaitReason::chan_send_nil);
  }
  // A closed channel never gets room again: so whichever of the two we read first, there was a
  // moment in between at which it was open and full.
  if (!block && !c->closed.load(std::memory_order_relaxed) && full(c)) return false;

  for (;;) {
    M* mp = acquirem();
    c->lock.lock();
    const Unlock unlockf{unlock_channel, c};
    if (c->closed.load(std::memory_order_relaxed)) {
      c->lock.unlock();
      releasem(mp);
      throw_panic("send on closed channel");
    }
    if (Sudog* sg = c->recvq.dequeue(); sg != nullptr) {
      send(c, sg, elem, unlockf);
      releasem(mp);
      return true;
    }
    if (c->qcount.load(std::memory_order_relaxed) < c->dataqsiz) {
      put_element(c, c->sendx, elem, unlockf);
      c->sendx = after(c, c->sendx);
      change_count(c, 1);
      c->lock.unlock();
      releasem(mp);
      return true;
    }
    if (!block) {
      c->lock.unlock();
      releasem(mp);
      return false;
    }
    bool success = false;
    if (mp == nullptr) {
      if (wait_outside(c, &c->sendq, elem)) return true;
    } else if (wait_in(c, &c->sendq, elem, WaitReason::chan_send, &success)) {
      if (!success) throw_panic("send on closed channel");
      return true;
    }
  }
}

ReceiveResult chanrecv(Hchan* c, void* elem, bool block) {
  if (c == nullptr) {
    if (!block) return {};
    park_for_ever(WaitReason::chan_receive_nil);
  }
  if (!block && empty(c)) {
    if (!c->closed.load(std::memory_order_acquire)) return {};
    // It may have been closed after we found it empty, and a value may have come in before that. It
    // stays closed; now it counts whether it is empty.
    if (empty(c)) return {true, false};
  }

  for (;;) {
    M* mp = acquirem();
    c->lock.lock();
    const Unlock unlockf{unlock_channel, c};
    if (Sudog* sg = c->sendq.dequeue(); sg != nullptr) {
      recv(c, sg, elem, unlockf);
      releasem(mp);
      return {true, true};
    }
    if (c->qcount.load(std::memory_order_relaxed) > 0) {
      take_element(c, c->recvx, elem, nullptr, unlockf);
      c->recvx = after(c, c->recvx);
      change_count(c, -1);
      c->lock.unlock();
      releasem(mp);
      return {true, true};
    }
    if (c->closed.load(std::memory_order_relaxed) || !block) {
      const bool closed = c->closed.load(std::memory_order_relaxed);
      c->lock.unlock();
      releasem(mp);
      return {closed, false};
    }
    bool success = false;
    if (mp == nullptr) {
      if (wait_outside(c, &c->recvq, elem)) return {true, true};
    } else if (wait_in(c, &c->recvq, elem, WaitReason::chan_receive, &success)) {
      return {true, success};
    }
  }
}

void send(Hchan* c, Sudog* sg, void* elem, Unlock unlockf) {
  hand_over_element(c, sg->elem, elem, sg, unlockf);
  sg->elem = nullptr;
  sg->success = true;
  unlockf();
  wake_waiter(sg);
}

void recv(Hchan* c, Sudog* sg, void* elem, Unlock unlockf) {
  if (c->dataqsiz == 0) {
    hand_over_element(c, elem, sg->elem, sg, unlockf);
  } else {
    // The buffer is full, so its first slot is also the one behind its last.
    take_element(c, c->recvx, elem, sg, unlockf);
    c->recvx = after(c, c->recvx);
    sg = refill_element(c, c->sendx, sg);
    if (sg != nullptr) {
      c->sendx = after(c, c->sendx);
    } else {
      change_count(c, -1);
    }
  }
  if (sg == nullptr) return unlockf();
  sg->elem = nullptr;
  sg->success = true;
  unlockf();
  wake_waiter(sg);
}

void closechan(Hchan* c) {
  if (c == nullptr) throw_panic("close of nil channel");
  M* mp = acquirem();
  c->lock.lock();
  if (c->closed.load(std::memory_order_relaxed)) {
    c->lock.unlock();
    releasem(mp);
    throw_panic("close of closed channel");
  }
  // release: whoever finds it closed without the lock finds the buffer as it is now.
  c->closed.store(true, std::memory_order_release);
  // Last in, first out, as Go's list of Gs: the waiter that came last is woken first.
  Sudog* woken = nullptr;
  for (Waitq* q : {&c->recvq, &c->sendq}) {
    while (Sudog* sg = q->dequeue()) {
      sg->success = false;
      sg->next = woken;
      woken = sg;
    }
  }
  c->lock.unlock();
  while (woken != nullptr) {
    Sudog* sg = woken;
    woken = sg->next;
    sg->next = nullptr;
    wake_waiter(sg);
  }
  releasem(mp);
}

}  // namespace goro
