// Step 3: who runs next, asked of find_runnable without running anybody.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "contracts/scheduler.h"
#include "support.h"

namespace goro::testing {
namespace {

TEST(FindRunnable, RunnextComesFirstAndSharesTheSlice) {
  FakeM fake;
  sleeping_is_a_deadlock();
  fake.p()->schedtick = 1;
  GORO_STEP("runnext holds goroutine 1, the ring goroutine 2, the GRQ goroutine 3; the tick is 1");
  fake.p()->runnext.store(fake.g());
  put_in_ring(fake.p(), fake.g());
  fill_global(fake, 1);
  const Runnable first = find_runnable();
  EXPECT_EQ(id_of(first.gp), 1U) << "runnext has the first word";
  EXPECT_TRUE(first.inherit_time) << "who comes from runnext goes on in the slice of whoever put "
                                     "it there: inherit_time is true";
  GORO_STEP("asked again: runnext is empty");
  const Runnable second = find_runnable();
  EXPECT_EQ(id_of(second.gp), 2U) << "after runnext comes the ring, and only then the GRQ";
  EXPECT_FALSE(second.inherit_time) << "who comes from the ring starts a slice of its own";
  GORO_STEP("asked again: the P's own queue is empty");
  const Runnable third = find_runnable();
  EXPECT_EQ(id_of(third.gp), 3U) << "with an empty queue of its own, the P takes from the GRQ";
  EXPECT_FALSE(third.inherit_time) << "who comes from the GRQ starts a slice of its own";
}

TEST(FindRunnable, Every61stSliceTakesOneFromTheGlobalQueueFirst) {
  for (const std::uint32_t tick : {0U, 61U, 122U, 61'000U, 4'294'967'239U}) {
    GORO_STEP("runnext, ring and GRQ have goroutines; the tick is ", tick, ", a multiple of 61");
    FakeM fake;
    sleeping_is_a_deadlock();
    fake.p()->schedtick = tick;
    const std::vector<G*> global = fill_global(fake, 5);
    G* next = fake.g();
    fake.p()->runnext.store(next);
    put_in_ring(fake.p(), fake.g());
    const Runnable found = find_runnable();
    ASSERT_EQ(id_of(found.gp), global[0]->goid)
        << "on every 61st slice (schedtick is a multiple of 61) the head of the GRQ comes before "
           "runnext and the ring; "
           "else a busy ring keeps it waiting for ever";
    EXPECT_FALSE(found.inherit_time) << "who comes from the GRQ starts a slice of its own";
    EXPECT_EQ(sched.runqsize.load(), 4)
        << "the 61st slice takes exactly one from the GRQ, not a batch: the ring has work already";
    EXPECT_EQ(ring_of(fake.p()), ids_from(7, 7)) << "the ring stays as it was";
    EXPECT_EQ(fake.p()->runnext.load(), next) << "runnext stays as it was";
  }
}

TEST(FindRunnable, TheOtherSixtySlicesAreForTheLocalQueue) {
  for (const std::uint32_t tick : {1U, 2U, 30U, 59U, 60U, 62U, 121U, 123U}) {
    GORO_STEP("the ring and the GRQ have goroutines; the tick is ", tick);
    FakeM fake;
    sleeping_is_a_deadlock();
    fake.p()->schedtick = tick;
    G* local = fake.g();
    put_in_ring(fake.p(), local);
    fill_global(fake, 5);
    ASSERT_EQ(find_runnable().gp, local)
        << "tick " << tick << " is no multiple of 61: the P's own queue comes before the GRQ";
    ASSERT_EQ(sched.runqsize.load(), 5) << "and nobody leaves the GRQ";
  }
}

TEST(FindRunnable, AnEmptyGlobalQueueOnThe61stSliceIsPassedOver) {
  FakeM fake;
  sleeping_is_a_deadlock();
  fake.p()->schedtick = 61;
  GORO_STEP("the tick is 61, the GRQ is empty, runnext holds goroutine 1 and the ring goroutine 2");
  fake.p()->runnext.store(fake.g());
  put_in_ring(fake.p(), fake.g());
  const Runnable first = find_runnable();
  EXPECT_EQ(id_of(first.gp), 1U)
      << "the GRQ had its chance on this slice and is empty: runnext is next";
  EXPECT_TRUE(first.inherit_time);
  EXPECT_EQ(id_of(find_runnable().gp), 2U) << "then the ring";
}

TEST(FindRunnable, AnEmptyRingIsFilledWithABatch) {
  GORO_STEP("300 goroutines in the GRQ, one P with an empty ring, the tick is 1");
  {
    FakeM fake;
    sleeping_is_a_deadlock();
    fake.p()->schedtick = 1;
    fill_global(fake, 300);
    const Runnable found = find_runnable();
    EXPECT_EQ(id_of(found.gp), 1U);
    EXPECT_FALSE(found.inherit_time) << "who comes from the GRQ starts a slice of its own";
    EXPECT_EQ(ring_of(fake.p()), ids_from(2, 128))
        << "a P alone takes a batch of half a ring, 128: one to run, 127 for the ring";
    EXPECT_EQ(sched.runqsize.load(), 172) << "128 of 300 left the GRQ";
  }
  GORO_STEP("300 goroutines in the GRQ and four Ps");
  FakeM fake(4);
  fake.p()->schedtick = 1;
  fill_global(fake, 300);
  EXPECT_EQ(id_of(find_runnable().gp), 1U);
  EXPECT_EQ(ring_of(fake.p()), ids_from(2, 76)) << "one of four Ps takes a batch of 300/4 + 1 = 76";
}

TEST(FindRunnable, TheGlobalQueueComesBeforeOtherPs) {
  FakeM fake(2);
  fake.p()->schedtick = 1;
  GORO_STEP("goroutine 1 in the GRQ, goroutine 2 in the ring of P1; P0 has nothing of its own");
  fill_global(fake, 1);
  put_in_ring(fake.p(1), fake.g());
  EXPECT_EQ(id_of(find_runnable().gp), 1U) << "a P with an empty queue looks at the GRQ before it "
                                              "looks at other Ps: whoever is in the ring of "
                                              "P1 has a P that will come to it";
  GORO_STEP("asked again: the GRQ is empty");
  const Runnable stolen = find_runnable();
  EXPECT_EQ(id_of(stolen.gp), 2U) << "find_work_elsewhere steals from P1";
  EXPECT_FALSE(stolen.inherit_time) << "a stolen goroutine starts a slice of its own";
}

// How often a thread has gone to sleep of its own accord; a RuntimeMutex that is held makes it nap.
int naps_of(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("voluntary_ctxt_switches:"))
      return std::stoi(line.substr(line.find(':') + 1));
  }
  return 0;
}

// Runs find_runnable on an M of its own, with P1, while this thread holds sched.lock. False if that
// M waits for the lock (it gets it then): it has napped far more often than a thread does that
// waits for nothing.
bool finds_without_the_lock(FakeM& fake, G** found) {
  constexpr int kManyNaps = 200;
  std::atomic<pid_t> other_id{0};
  std::atomic<bool> done{false};
  sched.lock.lock();
  std::thread other([&] {
    FakeThread thread(fake.p(1));
    other_id.store(gettid());
    *found = find_runnable().gp;
    done.store(true);
  });
  bool waits = false;
  while (!done.load() && !waits) {
    waits = other_id.load() != 0 && naps_of(other_id.load()) >= kManyNaps;
    sched_yield();
  }
  sched.lock.unlock();
  other.join();
  return !waits;
}

TEST(FindRunnable, TakesNoLockToFindNothing) {
  FakeM fake(2);
  G* found = nullptr;
  GORO_STEP(
      "somebody holds sched.lock; the tick is 61, the GRQ is empty, goroutine 1 is in the ring");
  fake.p(1)->schedtick = 61;
  put_in_ring(fake.p(1), fake.g());
  EXPECT_TRUE(finds_without_the_lock(fake, &found))
      << "the GRQ looks empty (sched.runqsize is 0), so taking sched.lock could only find nothing; "
         "yet "
         "find_runnable waited for the lock";
  EXPECT_EQ(id_of(found), 1U);
}

TEST(FindRunnable, TakesNoLockWhileItsOwnQueueHasWork) {
  FakeM fake(2);
  G* found = nullptr;
  GORO_STEP("somebody holds sched.lock; the tick is 5, the GRQ has 3, runnext holds goroutine 4");
  fill_global(fake, 3);
  fake.p(1)->schedtick = 5;
  fake.p(1)->runnext.store(fake.g());
  EXPECT_TRUE(finds_without_the_lock(fake, &found))
      << "runnext has work and it is not the 61st slice, yet find_runnable waited for sched.lock";
  EXPECT_EQ(id_of(found), 4U);
  GORO_STEP("the same with goroutine 5 in the ring");
  put_in_ring(fake.p(1), fake.g());
  EXPECT_TRUE(finds_without_the_lock(fake, &found))
      << "the ring has work and it is not the 61st slice, yet find_runnable waited for sched.lock";
  EXPECT_EQ(id_of(found), 5U);
}

TEST(FindRunnable, LooksAgainFromTheTopWithTheNewP) {
  FakeM fake(2);
  GORO_STEP("two Ps, nothing to run: this M gives up P0 and sleeps");
  GORO_STEP(
      "somebody puts goroutine 1 into P0's ring, goroutine 2 into P1's, and wakes the M with P1");
  G* left_behind = fake.g();
  G* wanted = fake.g();
  std::atomic<bool> returned{false};
  std::thread waker([&] {
    M* sleeper = nullptr;
    while (sleeper == nullptr) {
      if (returned.load()) return;
      sched.lock.lock();
      sleeper = sched.midle;
      if (sleeper != nullptr) {
        sched.midle = nullptr;
        --sched.nmidle;
      }
      sched.lock.unlock();
      sched_yield();
    }
    put_in_ring(fake.p(0), left_behind);
    put_in_ring(fake.p(1), wanted);
    sleeper->nextp = fake.p(1);
    sleeper->park.wakeup();
  });
  const Runnable found = find_runnable();
  returned.store(true);
  waker.join();
  ASSERT_NE(found.gp, nullptr)
      << "null from find_work_elsewhere means: look again from the top, not that there is nothing";
  EXPECT_EQ(found.gp, wanted)
      << "the M woke up with another P: it must ask getm()->p again, because the "
         "ring of P0 is not its ring any more";
}

TEST(FindRunnable, FourMsTakeEveryGoroutineOnce) {
  constexpr int kMs = 4;
  constexpr int kGoroutines = 4000;
  FakeM fake(kMs);
  GORO_STEP(kGoroutines, " goroutines in the GRQ, and behind them enough marks for ", kMs,
            " Ms to find one each");
  const std::vector<G*> gs = fill_global(fake, kGoroutines);
  const std::uint64_t last = gs.back()->goid;
  fill_global(fake, kMs * static_cast<int>(kRunqSize) / 2);
  std::vector<std::vector<int>> taken(kMs, std::vector<int>(kGoroutines + 1));
  GORO_STEP("each M takes goroutines until it finds a mark, then empties its own ring");
  std::vector<std::thread> threads;
  for (int i = 0; i < kMs; ++i) {
    threads.emplace_back([&fake, &taken, i, last] {
      FakeThread thread(fake.p(i));
      P* pp = fake.p(i);
      std::vector<int>& mine = taken[static_cast<std::size_t>(i)];
      for (;;) {
        const G* gp = find_runnable().gp;
        if (gp == nullptr || gp->goid > last) break;
        ++mine[gp->goid];
        ++pp->schedtick;  // what execute would do
      }
      for (const std::uint64_t id : ring_of(pp)) {
        if (id <= last) ++mine[id];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::uint64_t id = 1; id <= last; ++id) {
    int times = 0;
    for (const std::vector<int>& mine : taken) times += mine[id];
    ASSERT_EQ(times, 1) << "goroutine " << id << " of the GRQ was taken by " << times
                        << " Ms; every goroutine must run exactly once";
  }
}

}  // namespace
}  // namespace goro::testing
