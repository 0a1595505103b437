// Who waits for a descriptor: the words of its two sides. Go: netpoll.go.
//
// Three parties meet at a side's word without a lock: the goroutine that parks, whoever has an
// edge, and whoever closes or whose timer fires. The goroutine is the only one that writes `wait`
// and itself; the others only take it out, by one exchange, and whoever succeeds wakes it. So it
// is woken once.
//
// What a wake-up meant is not handed over. The goroutine takes the word back to `none` itself when
// it goes on, and what it finds there tells an edge from the rest; for the rest it reads `info`.
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/netpoll.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/poller.h"
#include "contracts/services/waiting.h"

namespace goro {

namespace {

std::uint32_t timeout_bit(PollMode mode) {
  return mode == PollMode::read ? kPollReadTimeout : kPollWriteTimeout;
}

// Under the lock. Go: publishInfo.
void publish_info(PollDesc* pd) {
  std::uint32_t info = pd->closing ? kPollClosing : 0;
  for (const PollMode mode : {PollMode::read, PollMode::write}) {
    if (pd->side(mode).deadline == kDeadlinePassed) info |= timeout_bit(mode);
  }
  // seq_cst, before the look at a side's word.
  pd->info.store(info);
}

// Go: netpollcheckerr.
PollError check_error(const PollDesc* pd, PollMode mode) {
  const std::uint32_t info = pd->info.load();
  if ((info & kPollClosing) != 0) return PollError::closed;
  return (info & timeout_bit(mode)) != 0 ? PollError::timeout : PollError::none;
}

// No lock is held. Go: netpollgoready.
void wake_waiter(G* gp) {
  if (gp == nullptr) return;
  // Whoever sleeps for the network alone now sleeps for nothing, and would pass for one who can
  // still wake somebody (checkdead).
  if (netpoll_waiters.fetch_sub(1) == 1 && sched.lastpoll.load() == 0) netpoll_break();
  wake(gp);
}

// Go: netpollDeadline.
template <PollMode mode>
void deadline_passes(void* arg, std::uintptr_t seq, std::int64_t /*delay*/) {
  auto* pd = static_cast<PollDesc*>(arg);
  pd->lock.lock();
  PollSide& side = pd->side(mode);
  G* gp = nullptr;
  if (side.seq == seq) {
    side.deadline = kDeadlinePassed;
    publish_info(pd);
    gp = netpoll_unblock(pd, mode, false);
  }
  pd->lock.unlock();
  wake_waiter(gp);
}

// The unlock function, on g0: from here on the goroutine can be taken out. Go: netpollblockcommit.
// [block]
bool commit(G* gp, void* word) {
  auto* g = static_cast<atomic<std::uintptr_t>*>(word);
  // Counted before: whoever takes it out at once counts it down.
  netpoll_waiters.fetch_add(1);
  std::uintptr_t wait = kPollWait;
  if (g->compare_exchange_strong(wait, reinterpret_cast<std::uintptr_t>(gp))) return true;
  netpoll_waiters.fetch_sub(1);
  return false;
}
// [/block]

}  // namespace

// [netpoll_block]
bool netpoll_block(PollDesc* pd, PollMode mode) {
  atomic<std::uintptr_t>* g = &pd->side(mode).g;
  for (;;) {
    std::uintptr_t seen = kPollReady;
    if (g->compare_exchange_strong(seen, kPollNone)) return true;
    seen = kPollNone;
    if (g->compare_exchange_strong(seen, kPollWait)) break;
    if (seen != kPollReady) fatal("runtime: double wait");
  }
  if (check_error(pd, mode) == PollError::none) gopark(commit, g, WaitReason::io_wait);
  // An edge may have come at any moment until now.
  return g->exchange(kPollNone) == kPollReady;
}
// [/netpoll_block]

// [netpoll_unblock]
G* netpoll_unblock(PollDesc* pd, PollMode mode, bool edge) {
  atomic<std::uintptr_t>* g = &pd->side(mode).g;
  std::uintptr_t seen = g->load();
  do {
    if (seen == kPollReady || (seen == kPollNone && !edge)) return nullptr;
  } while (!g->compare_exchange_weak(seen, edge ? kPollReady : kPollNone));
  return seen == kPollNone || seen == kPollWait ? nullptr : reinterpret_cast<G*>(seen);
}
// [/netpoll_unblock]

PollError poll_reset(PollDesc* pd, PollMode mode) {
  const PollError error = check_error(pd, mode);
  if (error == PollError::none) pd->side(mode).g.store(kPollNone);
  return error;
}

PollError poll_wait(PollDesc* pd, PollMode mode) {
  for (;;) {
    if (const PollError error = check_error(pd, mode); error != PollError::none) return error;
    if (netpoll_block(pd, mode)) return PollError::none;
    // A deadline has woken us; if it was set anew before we came to run, it has not passed.
  }
}

void poll_set_deadline(PollDesc* pd, PollMode mode, std::int64_t when) {
  G* gp = nullptr;
  pd->lock.lock();
  if (!pd->closing) {
    if (when != 0 && when <= nanotime()) when = kDeadlinePassed;
    PollSide& side = pd->side(mode);
    ++side.seq;
    side.deadline = when;
    publish_info(pd);
    if (when > 0) {
      side.timer.modify(when, 0,
                        mode == PollMode::read ? deadline_passes<PollMode::read>
                                               : deadline_passes<PollMode::write>,
                        pd, side.seq);
    } else {
      side.timer.stop();
    }
    if (when == kDeadlinePassed) gp = netpoll_unblock(pd, mode, false);
  }
  pd->lock.unlock();
  wake_waiter(gp);
}

void poll_unblock(PollDesc* pd) {
  G* readers = nullptr;
  G* writers = nullptr;
  pd->lock.lock();
  if (pd->closing) fatal("runtime: unblock on closing polldesc");
  pd->closing = true;
  publish_info(pd);
  for (PollSide& side : pd->sides) {
    ++side.seq;
    side.timer.stop();
  }
  readers = netpoll_unblock(pd, PollMode::read, false);
  writers = netpoll_unblock(pd, PollMode::write, false);
  pd->lock.unlock();
  wake_waiter(readers);
  wake_waiter(writers);
}

}  // namespace goro
