// One P, or one that is not idle: what needs no locked instruction then.
//
// Only who holds a P runs goroutines, touches its run queue and, but for threads outside, locks
// channels. With one P that is one thread at a time, and the next one begins after the last has
// given the P away; whoever hands a P on makes visible what was written with it. So a load and a
// store will do where otherwise another thread could come in between. A locked instruction takes
// about twenty cycles, and a value that goes from hand to hand meets five of them.
//
// The same is true with several Ps, as long as all but one are idle. Then it ends when one leaves
// the idle list, whatever the busy one is doing, so that needs a barrier in two threads:
//
//   the busy P's holder                       who takes an idle P (sched.lock held)
//     1. says that it is entering               1. alone = no
//     2. still alone? then: load, store         2. barrier in all threads, waits until the holder
//     3. says that it is not entering              is not entering
//                                               3. takes it
//
// Who comes seldom makes the barrier for both (membarrier). The holder is alone again when somebody
// who looks for work finds that only one P is busy, and that its goroutines wake one another all
// the time (services/handovers.h).
//
// The types here are std::atomic for everybody who uses them, with that one difference. The
// sanitizers would miss the order that it leaves out, and a simulation has no such short cut: there
// they are goro::atomic.
#pragma once

#include <cstdint>

#include "contracts/atomic.h"
#include "contracts/constants.h"

#if GORO_GROWABLE_STACKS && !GORO_SIMULATE
#define GORO_ONE_P 1
#else
#define GORO_ONE_P 0
#endif

namespace goro {

#if GORO_ONE_P

// [one_p]
struct alignas(kCacheLine) OneP {
  // Is whoever holds a P the only one who does? Changes while the world is stopped, or under
  // sched.lock.
  enum class Alone : std::uint8_t {
    no,
    for_now,  // all other Ps are idle
    always    // there is one P in this run
  };
  atomic<Alone> alone{Alone::no};
  // That one is between this question, or the next, and what it does then.
  atomic<bool> entering{false};

  // Does it have the channels' locks to itself? See contracts/channel_lock.h.
  enum class Channels : std::uint8_t {
    no,    // several Ps are busy, or there is no run
    yes,   // one is
    never  // a thread without a P has locked a channel in this process
  };
  atomic<Channels> channels{Channels::no};
  // `never`, and nobody is entering any more without having seen that.
  atomic<bool> everybody_exchanges{false};
};
// [/one_p]
extern OneP one_p;

// All but one P are idle, and whoever holds that one works without locked instructions until
// another leaves the idle list. Under sched.lock; nobody else holds a P. Without effect where the
// kernel has no barriers to offer.
void only_one_is_busy();

// A P is about to leave the idle list. Under sched.lock.
void another_gets_busy();

// Read by anybody, changed only by those who hold a P: at one P no other thread is among them. On
// g0, or between acquirem and releasem: nobody may give way while it says that it is entering.
template <typename T>
class POwned : public atomic<T> {
 public:
  using Base = atomic<T>;
  using Base::Base;
  using Base::operator=;

  [[gnu::always_inline]] T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
    if (!enter()) return Base::exchange(value, order);
    const T old = Base::load(std::memory_order_acquire);
    Base::store(value, std::memory_order_release);
    leave();
    return old;
  }

  [[gnu::always_inline]] bool compare_exchange_strong(
      T& expected, T desired, std::memory_order success = std::memory_order_seq_cst) {
    if (!enter()) return Base::compare_exchange_strong(expected, desired, success);
    const bool replaced = replace(expected, desired);
    leave();
    return replaced;
  }
  [[gnu::always_inline]] bool compare_exchange_strong(T& expected, T desired,
                                                      std::memory_order success,
                                                      std::memory_order failure) {
    if (!enter()) return Base::compare_exchange_strong(expected, desired, success, failure);
    const bool replaced = replace(expected, desired);
    leave();
    return replaced;
  }

 private:
  // True: nobody else can come in between, until leave(). The first question keeps those who have
  // other Ps beside them off the line that `entering` is on.
  [[gnu::always_inline]] static bool enter() {
    const OneP::Alone alone = one_p.alone.load(std::memory_order_relaxed);
    if (alone != OneP::Alone::for_now) return alone == OneP::Alone::always;
    one_p.entering.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (one_p.alone.load(std::memory_order_relaxed) != OneP::Alone::no) return true;
    leave();
    return false;
  }

  [[gnu::always_inline]] static void leave() {
    // release: whoever finds nobody entering finds what was done.
    one_p.entering.store(false, std::memory_order_release);
  }

  [[gnu::always_inline]] bool replace(T& expected, T desired) {
    const T seen = Base::load(std::memory_order_acquire);
    if (seen != expected) {
      expected = seen;
      return false;
    }
    Base::store(desired, std::memory_order_release);
    return true;
  }
};

// How many Ps are idle; changed under sched.lock. Nobody takes one of them unnoticed.
class IdleCount : public atomic<std::int32_t> {
 public:
  using Base = atomic<std::int32_t>;
  using Base::Base;

  std::int32_t fetch_sub(std::int32_t n, std::memory_order order = std::memory_order_seq_cst) {
    another_gets_busy();
    return Base::fetch_sub(n, order);
  }
  std::int32_t operator--() { return fetch_sub(1) - 1; }
  std::int32_t operator--(int) { return fetch_sub(1); }
  std::int32_t operator-=(std::int32_t n) { return fetch_sub(n) - n; }
  void store(std::int32_t n, std::memory_order order = std::memory_order_seq_cst) {
    another_gets_busy();
    Base::store(n, order);
  }
};

#else

template <typename T>
using POwned = atomic<T>;

using IdleCount = atomic<std::int32_t>;

#endif

}  // namespace goro
