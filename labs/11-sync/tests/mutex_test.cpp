// Step 3: a mutex in two modes. First the state, word by word; then goroutines on one P.
#include <unistd.h>

#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

constexpr std::int32_t kWaiter = 1 << kMutexWaiterShift;

std::int32_t state_of(const Mutex& mutex) {
  return reinterpret_cast<const MutexWords*>(&mutex)->state.load();
}

// Longer than kStarvationThreshold, while nobody runs.
void let_time_pass() {
  system_call([] { ::usleep(3000); });
}

TEST(UnlockSlow, OfAnUnlockedOneIsFatal) {
  FakeM fake;
  GORO_STEP("unlock of a mutex that was locked, while somebody else is awake");
  MutexWords locked;
  locked.state.store(kMutexWoken);
  mutex_unlock_slow(&locked, kMutexWoken);
  GORO_STEP("unlock when the state was 0: after the subtraction it is -1");
  ChildEnd ending = in_child([] {
    MutexWords m;
    m.state.store(-kMutexLocked);
    mutex_unlock_slow(&m, -kMutexLocked);
  });
  ASSERT_TRUE(ending.fatal_with("sync: unlock of unlocked mutex"))
      << "unlock of unlocked mutex must be fatal: whoever does it has lost control of its data, "
         "and no exception may hide it. "
      << ending.told();
  GORO_STEP("the same with somebody waiting: after the subtraction the state is 7");
  ending = in_child([] {
    MutexWords m;
    m.state.store(kWaiter - kMutexLocked);
    mutex_unlock_slow(&m, kWaiter - kMutexLocked);
  });
  EXPECT_TRUE(ending.fatal_with("sync: unlock of unlocked mutex"))
      << "the locked bit before the subtraction decides, whatever else is in the state. "
      << ending.told();
}

TEST(UnlockSlow, WakesOneAndSaysSo) {
  FakeM fake;
  MutexWords m;
  m.state.store(2 * kWaiter);
  const Waiters waiters(fake, &m.sema, 2);
  GORO_STEP("two wait, nobody is awake; unlock");
  mutex_unlock_slow(&m, 2 * kWaiter);
  EXPECT_EQ(waiters.woken(), 1) << "one is woken: two would only be in each other's way";
  EXPECT_TRUE(waiters.woken(0)) << "the one that has waited longest";
  EXPECT_EQ(m.state.load(), kWaiter + kMutexWoken)
      << "one waiter less, and the woken bit, in one exchange: it is awake, and nobody else need "
         "be woken";
  EXPECT_EQ(m.sema.load(), 1U) << "no handoff in normal mode: whoever is quickest has the mutex";
}

TEST(UnlockSlow, WakesNobodyBesideOneThatIsAwake) {
  FakeM fake;
  MutexWords m;
  m.state.store(2 * kWaiter + kMutexWoken);
  const Waiters waiters(fake, &m.sema, 2);
  GORO_STEP("two wait, and somebody is awake and wants the mutex; unlock");
  mutex_unlock_slow(&m, 2 * kWaiter + kMutexWoken);
  EXPECT_EQ(waiters.woken(), 0)
      << "the woken bit is set: that one will take the mutex, wake no other";
  EXPECT_EQ(m.state.load(), 2 * kWaiter + kMutexWoken) << "nothing to change";
}

TEST(UnlockSlow, LeavesItToWhoeverLockedItMeanwhile) {
  FakeM fake;
  MutexWords m;
  m.state.store(kWaiter + kMutexLocked);
  const Waiters waiters(fake, &m.sema, 1);
  GORO_STEP(
      "one waits; between the subtraction and the slow way, somebody else has locked the mutex");
  mutex_unlock_slow(&m, kWaiter);
  EXPECT_EQ(waiters.woken(), 0) << "it is locked again: whoever has it will wake the waiter. `now` "
                                   "is old, the exchange tells";
  EXPECT_EQ(m.state.load(), kWaiter + kMutexLocked) << "nothing to change";
}

TEST(UnlockSlow, NobodyWaitsNobodyIsWoken) {
  FakeM fake;
  MutexWords m;
  m.state.store(kMutexWoken);
  GORO_STEP("nobody is parked; one that spins has set the woken bit; unlock");
  mutex_unlock_slow(&m, kMutexWoken);
  EXPECT_EQ(m.state.load(), kMutexWoken) << "with no waiter there is nothing to do";
  EXPECT_EQ(m.sema.load(), 0U) << "a semrelease1 that nobody waits for lets somebody through later";
}

TEST(UnlockSlow, AStarvingMutexIsHandedOver) {
  FakeM fake;
  MutexWords m;
  constexpr std::int32_t kState = 2 * kWaiter + kMutexStarving;
  m.state.store(kState);
  const Waiters waiters(fake, &m.sema, 2);
  GORO_STEP("two wait in starvation mode; unlock");
  mutex_unlock_slow(&m, kState);
  EXPECT_TRUE(waiters.woken(0)) << "the first in line has it";
  EXPECT_EQ(waiters.ticket(0), 1U) << "handed over: semrelease1 with handoff";
  EXPECT_EQ(m.sema.load(), 0U) << "handed over, so that no newcomer can have it";
  EXPECT_EQ(m.state.load(), kState)
      << "the one that has it now notes it in the state itself; until then the starving bit keeps "
         "everybody else out";
}

TEST(LockSlow, TakesAFreeOneAlthoughOthersWait) {
  FakeM fake;
  MutexWords m;
  m.state.store(2 * kWaiter);
  GORO_STEP("two wait, but at this moment nobody has the mutex; a newcomer calls lock");
  mutex_lock_slow(&m);
  EXPECT_EQ(m.state.load(), 2 * kWaiter + kMutexLocked)
      << "in normal mode whoever is there takes it; only the locked bit changes";
}

TEST(LockSlow, LeavesTheWokenBitOfAnother) {
  FakeM fake;
  MutexWords m;
  m.state.store(kWaiter + kMutexWoken);
  GORO_STEP("somebody was woken and has yet to run; a newcomer calls lock");
  mutex_lock_slow(&m);
  EXPECT_EQ(m.state.load(), kWaiter + kMutexWoken + kMutexLocked)
      << "only the goroutine that is awake itself takes the woken bit away";
}

TEST(LockSlow, ANewcomerQueuesUpInAStarvingMutex) {
  FakeM fake;
  MutexWords m;
  m.state.store(kWaiter + kMutexStarving);
  GORO_STEP("a starving mutex is being handed over to goroutine 1; a newcomer calls lock");
  bool waits = false;
  try {
    mutex_lock_slow(&m);
  } catch (const Panic&) {
    waits = true;  // it came to semacquire1, and this thread is no goroutine
  }
  EXPECT_TRUE(waits) << "the mutex is promised to the first in line: a newcomer must wait";
  EXPECT_EQ(m.state.load(), 2 * kWaiter + kMutexStarving)
      << "a newcomer counts itself as a waiter, and sets no locked bit: that one is for the "
         "goroutine "
         "to which the mutex is handed over";
}

TEST(Mutex, WaitersHaveItInTheOrderOfArrival) {
  Order order;
  Mutex mutex;
  GORO_STEP("one P: goroutines 1 to 6 wait for the mutex, one after the other; unlock");
  goro::run(
      [&] {
        mutex.lock();
        for (int i = 1; i <= 6; ++i) {
          go([i, m = &mutex, out = &order] {
            m->lock();
            out->push_back(i);
            m->unlock();
          });
          let_others_run();
        }
        mutex.unlock();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{1, 2, 3, 4, 5, 6}))
      << "first come, first served, if no newcomer is quicker";
  EXPECT_EQ(state_of(mutex), 0)
      << "nobody has it, nobody waits: the state must be 0 again, or each "
         "lock and unlock goes the slow way for ever";
}

TEST(Mutex, SaysWhatItsGoroutineWaitsFor) {
  Mutex mutex;
  G* gp = nullptr;
  bool said = false;
  std::int32_t state = 0;
  GORO_STEP("one P: goroutine 1 has the mutex, goroutine 2 waits for it");
  goro::run(
      [&] {
        mutex.lock();
        go([m = &mutex, out = &gp] {
          *out = getg();
          m->lock();
          m->unlock();
        });
        let_others_run();
        said = waits_for(gp, WaitReason::sync_mutex_lock);
        state = state_of(mutex);
        mutex.unlock();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(said) << "a dump must show [sync.Mutex.Lock]: WaitReason::sync_mutex_lock";
  EXPECT_EQ(state, kWaiter + kMutexLocked) << "locked, and one that waits";
}

TEST(Mutex, WhoLosesARaceWaitsInFrontOfTheOthers) {
  Order order;
  Mutex mutex;
  bool newcomer = false;
  GORO_STEP(
      "one P: goroutines 1 and 2 wait; unlock wakes 1, and before it runs somebody else locks");
  goro::run(
      [&] {
        mutex.lock();
        for (int i = 1; i <= 2; ++i) {
          go([i, m = &mutex, out = &order] {
            m->lock();
            out->push_back(i);
            m->unlock();
          });
          let_others_run();
        }
        mutex.unlock();
        newcomer = mutex.try_lock();
        let_others_run();
        mutex.unlock();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(newcomer) << "in normal mode a newcomer may be quicker than one that was woken";
  EXPECT_EQ(order, (Order{1, 2}))
      << "goroutine 1 has waited already: the second time it queues at the head (lifo)";
  EXPECT_EQ(state_of(mutex), 0) << "nobody has it, nobody waits";
}

// What goroutine 1 sees of a mutex that goroutine 2 has waited for for more than a millisecond, in
// vain.
struct Starvation {
  std::int32_t after_losing = -1;
  bool could_try = true;
  bool had_it_early = true;
  bool had_it_at_once = false;
  std::int32_t at_the_end = -1;
  bool finished = false;
};

Starvation starve() {
  Starvation seen;
  Mutex mutex;
  bool had_it = false;
  goro::run(
      [&] {
        mutex.lock();
        go([m = &mutex, out = &had_it] {
          m->lock();
          *out = true;
          m->unlock();
        });
        let_others_run();
        let_time_pass();
        mutex.unlock();  // wakes it, and it has yet to run
        if (!mutex.try_lock()) return;
        let_others_run();
        seen.after_losing = state_of(mutex);
        seen.had_it_early = had_it;
        mutex.unlock();
        seen.had_it_at_once = had_it;
        let_others_run();
        seen.at_the_end = state_of(mutex);
        seen.finished = had_it;
      },
      {.procs = 1});
  return seen;
}

TEST(Starvation, IsEnteredAfterAMillisecond) {
  GORO_STEP(
      "one P: goroutine 2 waits for 3 ms, is woken, and finds the mutex locked by goroutine 1");
  const Starvation seen = starve();
  EXPECT_FALSE(seen.had_it_early) << "goroutine 1 has the mutex";
  EXPECT_EQ(seen.after_losing, kWaiter + kMutexStarving + kMutexLocked)
      << "it has waited for more than kStarvationThreshold since its first wait began, and the "
         "mutex "
         "is locked: + starving, + a waiter, − woken";
  EXPECT_TRUE(seen.finished) << "and it must get the mutex in the end";
}

TEST(Starvation, TheFirstInLineRunsAtOnce) {
  GORO_STEP(
      "one P: goroutine 2 starves; goroutine 1 unlocks, and looks whether goroutine 2 has run");
  const Starvation seen = starve();
  EXPECT_TRUE(seen.had_it_at_once) << "in starvation mode unlock hands the mutex over (semrelease1 "
                                      "with handoff), and the waiter "
                                      "runs before unlock returns";
}

TEST(Starvation, TheLastThatWaitsEndsIt) {
  GORO_STEP("one P: goroutine 2 starves, gets the mutex, and unlocks it; nobody else waits");
  const Starvation seen = starve();
  EXPECT_TRUE(seen.finished) << "goroutine 2 must get the mutex";
  EXPECT_EQ(seen.at_the_end & kMutexStarving, 0)
      << "the last that waited ends starvation mode. In a mutex that stays in it every unlock is a "
         "switch, no lock is fast any more, and try_lock never succeeds";
  EXPECT_EQ(seen.at_the_end, 0) << "nobody has it, nobody waits, nobody is awake";
}

TEST(Starvation, KeepsNewcomersOut) {
  Order order;
  Mutex mutex;
  bool tried = true;
  std::int32_t waiting = 0;
  GORO_STEP("one P: goroutines 1 and 2 wait for 3 ms; goroutine 1 is woken too late, and starves");
  GORO_STEP("then goroutine 3 comes; unlock, and all have their turn");
  goro::run(
      [&] {
        mutex.lock();
        for (int i = 1; i <= 3; ++i) {
          if (i == 3) {
            let_time_pass();
            mutex.unlock();
            if (!mutex.try_lock()) return;
            let_others_run();
          }
          go([i, m = &mutex, out = &order, may_try = &tried] {
            if (i == 3) *may_try = m->try_lock();
            m->lock();
            out->push_back(i);
            m->unlock();
          });
          let_others_run();
        }
        waiting = state_of(mutex) >> kMutexWaiterShift;
        mutex.unlock();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_FALSE(tried) << "try_lock fails in starvation mode";
  EXPECT_EQ(waiting, 3) << "each that waits is counted once";
  EXPECT_EQ(order, (Order{1, 2, 3}))
      << "the one that starves first, then those behind it, the newcomer last";
  EXPECT_EQ(state_of(mutex), 0) << "nobody has it, nobody waits, and starvation mode is over";
}

TEST(Starvation, AnInconsistentStateIsFatal) {
  {
    FakeM fake;
    MutexWords free;
    GORO_STEP("lock of a free mutex, which is fine");
    mutex_lock_slow(&free);
    EXPECT_EQ(free.state.load(), kMutexLocked) << "a free mutex is locked, and nothing else";
  }
  GORO_STEP("a mutex is handed over to goroutine 2, but its state says that nobody waits");
  const ChildEnd ending = in_child([] {
    goro::run(
        [] {
          MutexWords m;
          m.state.store(kMutexLocked);
          go([w = &m] { mutex_lock_slow(w); });
          let_others_run();
          m.state.store(kMutexStarving);
          semrelease1(&m.sema, true);
          let_others_run();
        },
        {.procs = 1});
  });
  EXPECT_TRUE(ending.fatal_with("sync: inconsistent mutex state"))
      << "woken in a starving mutex: it must not be locked or woken, and there must be a waiter. "
      << ending.told();
}

}  // namespace
}  // namespace goro::testing
