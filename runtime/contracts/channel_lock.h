// A channel's lock.
//
// With one P that is busy (contracts/one_p.h) goroutines need no locked instruction to take it. But
// threads that are not the runtime's, and system calls, come to channels without a P. The first of
// them in a process makes an end of that, for good: from then on everybody exchanges. It ends as it
// does for queues when another P gets busy:
//
//   the P's holder                            the thread outside
//     1. says that it is entering               1. channels = never
//     2. still its own? then: held?             2. barrier in all threads, waits until nobody is
//     3. says that it is not entering              entering
//                                               3. exchanges
//
// Whoever finds a channel locked waits longer than others who wait for a lock of the runtime's
// before it looks again: two that come to a buffer at the same time then take turns in dozens of
// values, not in each.
#pragma once

#include "contracts/getg.h"
#include "contracts/lock.h"
#include "contracts/one_p.h"

namespace goro {

#if GORO_ONE_P

class ChannelLock : public RuntimeMutex {
  static constexpr int kPauses = 16;

 public:
  // [channel_lock]
  void lock() {
    const G* gp = getg();
    if (gp == nullptr || gp->stack_kind == StackKind::system) return lock_elsewhere();
    // On a goroutine's stack, so with a P.
    if (one_p.channels.load(std::memory_order_relaxed) != OneP::Channels::yes) {
      return lock_by_exchange();
    }
    one_p.entering.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool taken =
        one_p.channels.load(std::memory_order_relaxed) == OneP::Channels::yes && take_if_free();
    // release: whoever finds nobody entering finds the lock held.
    one_p.entering.store(false, std::memory_order_release);
    if (!taken) lock_by_exchange();
  }
  // [/channel_lock]

 private:
  void lock_by_exchange() { lock_looking_every(kPauses); }

  // On g0, with a P or inside a system call; on a thread that is not the runtime's.
  void lock_elsewhere();

  // Inlined in debug builds, too: a prologue would be a place to give way at while we say that we
  // are entering, and the next goroutine would take that back.
  [[gnu::always_inline]] bool take_if_free() {
    if (held_.load(std::memory_order_acquire)) return false;
    held_.store(true, std::memory_order_relaxed);
    return true;
  }
};

#else

using ChannelLock = RuntimeMutex;

#endif

}  // namespace goro
