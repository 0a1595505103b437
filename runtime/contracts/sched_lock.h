// The scheduler's lock.
//
// With several Ps it is a lock like the others. With one P (contracts/one_p.h) hardly anybody but
// the P's holder wants it, twice for each goroutine that yields; so it can be the holder's own, who
// takes it by a load and a store then. Those who come without a P (sysmon, a system call that ends,
// an M that goes to sleep, a thread outside) make an end of that as they come, and when the holder
// has taken the lock for a while without meeting any of them, it is its own again.
//
//   the P's holder, in the scheduler          who comes without a P
//     1. says that it is entering               1. says that it has come; no longer the holder's
//     2. still its own? then: held?             2. barrier in all threads, waits until the holder
//     3. says that it is not entering              is not entering
//                                               3. exchanges; says that it has gone
//
// As in contracts/channel_lock.h, who comes seldom makes the barrier for both. Here two may come at
// a time: while the first is at its second step, the lock is nobody's (`ending`), and the second
// waits for the holder, too. The holder makes it its own with the lock in hand, and takes that back
// if it then finds that somebody has come: of the two that write one word and read the other's
// (seq_cst), one at least sees the other.
#pragma once

#include "contracts/atomic.h"
#include "contracts/lock.h"
#include "contracts/one_p.h"

namespace goro {

#if GORO_ONE_P

class SchedLock : public RuntimeMutex {
 public:
  void lock() {
    // acquire: in whatever order memory does things, the exchange comes after this question.
    if (whose_.load(std::memory_order_acquire) == Whose::always_anybodys) {
      return RuntimeMutex::lock();
    }
    lock_at_one_p();
  }

  bool try_lock() {
    return whose_.load(std::memory_order_acquire) == Whose::always_anybodys
               ? RuntimeMutex::try_lock()
               : try_lock_at_one_p();
  }

  // A run begins with one P, and no thread but this one knows of the lock: it may become the
  // holder's own.
  void may_be_the_holders();

  // There will be several Ps in this run. By the P's holder, while the world is stopped. There is
  // no way back: nobody could tell whether a thread is between this question and its exchange.
  void is_anybodys() { whose_.store(Whose::always_anybodys, std::memory_order_seq_cst); }

  // For tests.
  [[nodiscard]] bool is_the_holders() const { return whose_.load() == Whose::holders; }

 private:
  enum class Whose : std::uint8_t { always_anybodys, anybodys, ending, holders };

  void lock_at_one_p();
  void lock_with_exchange();
  bool try_lock_at_one_p();
  bool take_as_holder();
  void make_it_the_holders();
  void come_without_p();

  atomic<Whose> whose_{Whose::always_anybodys};
  atomic<bool> entering_{false};       // the holder is between its question and the lock
  std::uint8_t undisturbed_ = 0;       // so often the holder met nobody; under the lock
  atomic<std::int32_t> without_p_{0};  // so many have come without a P and not got the lock yet
};

#else

using SchedLock = RuntimeMutex;

#endif

}  // namespace goro
