// One P: what needs no locked instruction then.
//
// Only who holds a P runs goroutines, touches its run queue and, but for threads outside, locks
// channels. With one P that is one thread at a time, and the next one begins after the last has
// given the P away; whoever hands a P on makes visible what was written with it. So a load and a
// store will do where otherwise another thread could come in between. A locked instruction takes
// about twenty cycles, and a value that goes from hand to hand meets five of them.
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
  // There is one P in this run. Changes while the world is stopped.
  atomic<bool> on{false};

  // Does whoever holds the P have the channels' locks to itself? See contracts/channel_lock.h.
  enum class Channels : std::uint8_t {
    no,    // there are several Ps, or there is no run
    yes,   // there is one P
    never  // a thread without a P has locked a channel in this process
  };
  atomic<Channels> channels{Channels::no};
  // It is between that question and the lock.
  atomic<bool> entering_channel{false};
  // `never`, and nobody is entering any more without having seen that.
  atomic<bool> everybody_exchanges{false};
};
// [/one_p]
extern OneP one_p;

// Always inlined, with all that follows: it is on the way of every switch.
[[gnu::always_inline]] inline bool at_one_p() {
  return one_p.on.load(std::memory_order_relaxed);
}

// Read by anybody, changed only by those who hold a P: at one P no other thread is among them.
template <typename T>
class POwned : public atomic<T> {
 public:
  using Base = atomic<T>;
  using Base::Base;
  using Base::operator=;

  [[gnu::always_inline]] T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
    if (!at_one_p()) return Base::exchange(value, order);
    const T old = Base::load(std::memory_order_acquire);
    Base::store(value, std::memory_order_release);
    return old;
  }

  [[gnu::always_inline]] bool compare_exchange_strong(
      T& expected, T desired, std::memory_order success = std::memory_order_seq_cst) {
    if (!at_one_p()) return Base::compare_exchange_strong(expected, desired, success);
    return replace(expected, desired);
  }
  [[gnu::always_inline]] bool compare_exchange_strong(T& expected, T desired,
                                                      std::memory_order success,
                                                      std::memory_order failure) {
    if (!at_one_p()) return Base::compare_exchange_strong(expected, desired, success, failure);
    return replace(expected, desired);
  }

 protected:
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

#else

template <typename T>
using POwned = atomic<T>;

#endif

}  // namespace goro
