// Select: three passes over the cases. contracts/select.h is the specification.
//
// What must hold between pass 2 and pass 3: the goroutine has a sudog in the queue of every
// channel, all of them reachable from the list in `Parking`, in lock order. Wakers see only the one
// in their queue. The list itself is this goroutine's alone.
#include "contracts/select.h"

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/elements.h"
#include "contracts/services/random.h"
#include "contracts/services/waiting.h"

namespace goro {

namespace {

// The cases that have a channel, in lock order.
struct Locked {
  const Scase* cases;
  const std::uint16_t* lockorder;
  int n;

  [[nodiscard]] Hchan* channel(int i) const { return cases[lockorder[i]].c; }
};

// Cases of the same channel are neighbours in lock order: it is locked once.
void sellock(const Locked& all) {
  Hchan* last = nullptr;
  for (int i = 0; i < all.n; ++i) {
    Hchan* c = all.channel(i);
    if (c != last) c->lock.lock();
    last = c;
  }
}

void selunlock(const Locked& all) {
  for (int i = all.n - 1; i >= 0; --i) {
    Hchan* c = all.channel(i);
    if (i == 0 || c != all.channel(i - 1)) c->lock.unlock();
  }
}

void unlock_all(void* all) {
  selunlock(*static_cast<Locked*>(all));
}

struct Parking {
  const Locked* all;
  Sudog* first;  // through waitlink
};

// On g0, with all locks held. The goroutine's stack stays where it is now, so the addresses of its
// elements can be shown to others.
// [selparkcommit]
bool selparkcommit(G* /*gp*/, void* arg) {
  const auto* parking = static_cast<Parking*>(arg);
  const Locked& all = *parking->all;
  Sudog* sg = parking->first;
  for (int i = 0; i < all.n; ++i, sg = sg->waitlink) {
    sg->elem = all.cases[all.lockorder[i]].elem;
  }
  --getm()->locks;
  // With the first unlock the goroutine can be woken, and may run: its frame is not ours any more.
  // Its sudogs are, until the last channel is unlocked: pass 3 begins by locking all of them.
  sg = parking->first;
  while (sg != nullptr) {
    Hchan* c = sg->c;
    do {
      sg = sg->waitlink;
    } while (sg != nullptr && sg->c == c);
    c->lock.unlock();
  }
  return true;
}
// [/selparkcommit]

// The cases that have a channel, in random order; their number.
int make_pollorder(const Scase* cases, int n, std::uint16_t* pollorder, P* pp) {
  int count = 0;
  for (int i = 0; i < n; ++i) {
    if (cases[i].c == nullptr) continue;
    const std::uint32_t at = cheaprandn(pp, static_cast<std::uint32_t>(count) + 1);
    pollorder[count] = pollorder[at];
    pollorder[at] = static_cast<std::uint16_t>(i);
    ++count;
  }
  return count;
}

// Heapsort by the address of the channel: no recursion, no memory, never slow.
void make_lockorder(const Scase* cases, const std::uint16_t* pollorder, int n,
                    std::uint16_t* lockorder) {
  const auto address = [cases](std::uint16_t i) {
    return reinterpret_cast<std::uintptr_t>(cases[i].c);
  };
  if (n == 2) {  // as most have
    const bool swapped = address(pollorder[0]) > address(pollorder[1]);
    lockorder[0] = pollorder[swapped ? 1 : 0];
    lockorder[1] = pollorder[swapped ? 0 : 1];
    return;
  }
  for (int i = 0; i < n; ++i) {
    int at = i;
    const std::uint16_t moved = pollorder[i];
    while (at > 0 && address(lockorder[(at - 1) / 2]) < address(moved)) {
      lockorder[at] = lockorder[(at - 1) / 2];
      at = (at - 1) / 2;
    }
    lockorder[at] = moved;
  }
  for (int end = n - 1; end > 0; --end) {
    const std::uint16_t moved = lockorder[end];
    lockorder[end] = lockorder[0];
    int at = 0;
    for (;;) {
      int child = 2 * at + 1;
      if (child >= end) break;
      if (child + 1 < end && address(lockorder[child]) < address(lockorder[child + 1])) ++child;
      if (address(lockorder[child]) <= address(moved)) break;
      lockorder[at] = lockorder[child];
      at = child;
    }
    lockorder[at] = moved;
  }
}

enum class Outcome { not_ready, done, closed };

// One case of pass 1. Everything is unlocked unless it is not ready.
Outcome poll(const Scase& scase, Unlock unlockf) {
  Hchan* c = scase.c;
  const bool closed = c->closed.load(std::memory_order_relaxed);
  const std::size_t count = c->qcount.load(std::memory_order_relaxed);
  if (scase.is_send) {
    if (closed) {
      unlockf();
      return Outcome::closed;
    }
    if (Sudog* sg = c->recvq.dequeue(); sg != nullptr) {
      send(c, sg, scase.elem, unlockf);
      return Outcome::done;
    }
    if (count == c->dataqsiz) return Outcome::not_ready;
    put_element(c, c->sendx, scase.elem, unlockf);
    c->sendx = c->sendx + 1 == c->dataqsiz ? 0 : c->sendx + 1;
    c->qcount.store(count + 1, std::memory_order_relaxed);
    unlockf();
    return Outcome::done;
  }
  if (Sudog* sg = c->sendq.dequeue(); sg != nullptr) {
    recv(c, sg, scase.elem, unlockf);
    return Outcome::done;
  }
  if (count != 0) {
    take_element(c, c->recvx, scase.elem, nullptr, unlockf);
    c->recvx = c->recvx + 1 == c->dataqsiz ? 0 : c->recvx + 1;
    c->qcount.store(count - 1, std::memory_order_relaxed);
    unlockf();
    return Outcome::done;
  }
  if (!closed) return Outcome::not_ready;
  unlockf();
  return Outcome::closed;
}

// Pass 2: a sudog in each queue. The list of them, in lock order.
Sudog* enqueue_everywhere(G* gp, const Locked& all) {
  Sudog* first = nullptr;
  Sudog** end = &first;
  for (int i = 0; i < all.n; ++i) {
    const Scase& scase = all.cases[all.lockorder[i]];
    Sudog* sg = acquire_sudog();
    sg->g = gp;
    sg->is_select = true;
    sg->c = scase.c;
    *end = sg;
    end = &sg->waitlink;
    Waitq& q = scase.is_send ? scase.c->sendq : scase.c->recvq;
    q.enqueue(sg);
  }
  return first;
}

// Pass 3, with all locks held: takes every sudog but `served` out of its queue and gives all of
// them back. The place of `served` in lock order, or -1.
int dequeue_everywhere(const Locked& all, Sudog* sg, const Sudog* served) {
  int at = -1;
  for (int i = 0; i < all.n; ++i) {
    const Scase& scase = all.cases[all.lockorder[i]];
    if (sg == served) {
      at = i;
    } else {
      Waitq& q = scase.is_send ? scase.c->sendq : scase.c->recvq;
      q.dequeue_sudog(sg);
    }
    Sudog* next = sg->waitlink;
    sg->is_select = false;
    sg->success = false;
    sg->elem = nullptr;
    sg->c = nullptr;
    sg->waitlink = nullptr;
    release_sudog(sg);
    sg = next;
  }
  return at;
}

}  // namespace

// [selectgo]
SelectResult selectgo(Scase* cases, std::uint16_t* order, int n, bool block) {
  G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    throw_panic("select outside of goro::run");
  }
  std::uint16_t* pollorder = order;
  std::uint16_t* lockorder = order + n;
  for (;;) {
    M* mp = acquirem();
    Locked all{cases, lockorder, make_pollorder(cases, n, pollorder, mp->p)};
    make_lockorder(cases, pollorder, all.n, lockorder);
    sellock(all);
    const Unlock unlockf{unlock_all, &all};

    for (int i = 0; i < all.n; ++i) {
      const int index = pollorder[i];
      const Outcome outcome = poll(cases[index], unlockf);
      if (outcome == Outcome::not_ready) continue;
      releasem(mp);
      if (outcome == Outcome::done) return {index, !cases[index].is_send};
      if (cases[index].is_send) throw_panic("send on closed channel");
      return {index, false};
    }
    if (!block) {
      selunlock(all);
      releasem(mp);
      return {-1, false};
    }

    gp->param = nullptr;
    Parking parking{&all, enqueue_everywhere(gp, all)};
    gopark(selparkcommit, &parking, WaitReason::select);

    mp = acquirem();
    sellock(all);
    gp->select_done.store(false, std::memory_order_relaxed);
    const auto* served = static_cast<Sudog*>(gp->param);
    gp->param = nullptr;
    const bool success = served != nullptr && served->success;
    const int at = dequeue_everywhere(all, parking.first, served);
    selunlock(all);
    releasem(mp);
    if (served == nullptr) continue;
    const int index = lockorder[at];
    if (!cases[index].is_send) return {index, success};
    if (!success) throw_panic("send on closed channel");
    return {index, false};
  }
}
// [/selectgo]

}  // namespace goro
