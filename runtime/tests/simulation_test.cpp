// The simulator itself: planted mistakes are found, shortened and told; right code is left alone.
#if GORO_SIMULATE

#include <gtest/gtest.h>

#include <cstdlib>

#include "contracts/atomic.h"
#include "contracts/lock.h"
#include "contracts/model.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/futex.h"
#include "contracts/services/scheduling.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Two threads that count with a load and a store each.
void count_badly() {
  goro::atomic<int> count{0};
  sim::name(&count, sizeof(count), "count");
  sim::Threads threads;
  for (const char* name : {"one", "two"}) {
    threads.start(name, [&] { count.store(count.load() + 1); });
  }
  threads.join();
  EXPECT_EQ(count.load(), 2) << "an increment was lost";
}

void count_well() {
  goro::atomic<int> count{0};
  sim::Threads threads;
  for (const char* name : {"one", "two", "three"}) {
    threads.start(name, [&] {
      count.fetch_add(1);
      count.fetch_add(1);
    });
  }
  threads.join();
  EXPECT_EQ(count.load(), 6);
}

// A worker that looks for work, says that it sleeps, and sleeps; a giver that gives work, and wakes
// the worker if it said so. Without the second look, work given in between is nobody's.
void sleep_for_work(bool looks_again) {
  goro::atomic<int> work{0};
  goro::atomic<int> asleep{0};
  goro::atomic<std::uint32_t> woken{0};
  sim::name(&work, sizeof(work), "work");
  sim::name(&asleep, sizeof(asleep), "asleep");
  sim::name(&woken, sizeof(woken), "woken");
  sim::Threads threads;
  threads.start("worker", [&] {
    if (work.load() != 0) return;
    asleep.store(1);
    if (looks_again && work.load() != 0) return;
    while (woken.load() == 0) futex_sleep(&woken, 0);
  });
  threads.start("giver", [&] {
    work.store(1);
    if (asleep.load() == 0) return;
    woken.store(1);
    futex_wakeup(&woken, 1);
  });
  threads.join();
}

// A queue for one producer and thieves that claims a slot before it has read it.
struct CarelessRing {
  static constexpr unsigned kSize = 2;
  goro::atomic<unsigned> head{0};
  goro::atomic<unsigned> tail{0};
  goro::atomic<int> slots[kSize]{};

  bool put(int value) {
    const unsigned at = tail.load();
    if (at - head.load() == kSize) return false;
    slots[at % kSize].store(value);
    tail.store(at + 1);
    return true;
  }
  int steal() {
    unsigned at = head.load();
    if (at == tail.load()) return 0;
    if (!head.compare_exchange_strong(at, at + 1)) return 0;
    return slots[at % kSize].load();  // too late: the owner may have filled it again
  }
};

void steal_carelessly() {
  CarelessRing ring;
  int stolen = -1;
  sim::Threads threads;
  threads.start("thief", [&] { stolen = ring.steal(); });
  for (int value = 1; value <= 3; ++value) ring.put(value);
  threads.join();
  EXPECT_LE(stolen, 1) << "the thief that claimed the first slot got something else";
}

void with_lock_and_spinning() {
  RuntimeMutex lock;
  int plain = 0;
  goro::atomic<bool> go_on{false};
  sim::Threads threads;
  for (const char* name : {"one", "two", "three"}) {
    threads.start(name, [&] {
      while (!go_on.load()) cpu_relax();
      for (int i = 0; i < 3; ++i) {
        lock.lock();
        const int seen = plain;
        GORO_SIMULATION_POINT("in the critical section");
        plain = seen + 1;
        lock.unlock();
      }
    });
  }
  go_on.store(true);
  threads.join();
  EXPECT_EQ(plain, 9);
}

int sum_of_goroutines(int procs) {
  int sum = 0;
  run(
      [&] {
        Channel<int> results;
        for (int i = 0; i < 8; ++i) {
          go([results, i] { results.send(i); });
        }
        for (int i = 0; i < 8; ++i) sum += *results.receive();
      },
      {.procs = procs});
  return sum;
}

}  // namespace

TEST(Simulation, FindsALostIncrementAndTellsTheShortestWay) {
  const auto failure = sim::find_failure({.seeds = 100}, count_badly);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(has(failure->what, "an increment was lost")) << failure->text();
  EXPECT_EQ(failure->switches, 1U) << failure->text();
  EXPECT_TRUE(has(failure->story, "loses its turn before\n       count.store(1)"))
      << failure->text();
}

TEST(Simulation, FindsAMissingSecondLook) {
  const auto failure = sim::find_failure({.seeds = 100}, [] { sleep_for_work(false); });
  ASSERT_TRUE(failure);
  EXPECT_TRUE(has(failure->what, "Every thread waits")) << failure->text();
  EXPECT_TRUE(has(failure->what, "worker sleeps on woken")) << failure->text();
  EXPECT_EQ(failure->switches, 1U) << failure->text();
  sim::explore({.seeds = 2000}, [] { sleep_for_work(true); });
}

TEST(Simulation, FindsASlotThatIsReadTooLate) {
  const auto failure = sim::find_failure({.seeds = 1000}, steal_carelessly);
  ASSERT_TRUE(failure);
  EXPECT_TRUE(has(failure->what, "got something else")) << failure->text();
  EXPECT_LE(failure->switches, 2U) << failure->text();
}

TEST(Simulation, ReplaysASeed) {
  const auto failure = sim::find_failure({.seeds = 1000}, steal_carelessly);
  ASSERT_TRUE(failure);
  setenv("GORO_SEED", std::to_string(failure->seed).c_str(), 1);
  const auto again = sim::find_failure({.seeds = 1000}, steal_carelessly);
  unsetenv("GORO_SEED");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->seed, failure->seed);
  EXPECT_EQ(again->what, failure->what);
  EXPECT_EQ(again->switches, failure->switches);
}

TEST(Simulation, ASeedIsASchedule) {
  std::vector<std::uint64_t> seen;
  const auto whole = [] { EXPECT_EQ(sum_of_goroutines(3), 28); };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::uint64_t first = sim::fingerprint(seed, whole);
    EXPECT_NE(first, 0U);
    EXPECT_EQ(first, sim::fingerprint(seed, whole)) << "seed " << seed;
    seen.push_back(first);
  }
  std::sort(seen.begin(), seen.end());
  const auto different = std::unique(seen.begin(), seen.end()) - seen.begin();
  EXPECT_GE(different, 15) << "seeds hardly change anything";
}

TEST(Simulation, LeavesRightCodeAlone) {
  sim::explore({.seeds = 2000}, count_well);
  sim::explore({.seeds = 2000}, with_lock_and_spinning);
}

TEST(Simulation, TellsALoopWithoutEnd) {
  const auto failure = sim::find_failure({.seeds = 1, .most_steps = 5000}, [] {
    goro::atomic<bool> never{false};
    sim::Threads threads;
    threads.start("waiter", [&] {
      while (!never.load()) cpu_relax();
    });
    threads.join();
  });
  ASSERT_TRUE(failure);
  EXPECT_TRUE(has(failure->what, "No end in sight after 5000 steps")) << failure->text();
}

TEST(Simulation, ContainsACrash) {
  const auto failure = sim::find_failure({.seeds = 100}, [] {
    goro::atomic<int*> pointer{nullptr};
    int value = 0;
    sim::Threads threads;
    threads.start("user", [&] {
      if (pointer.load() != nullptr) *pointer.load() = 1;
    });
    threads.start("owner", [&] {
      pointer.store(&value);
      pointer.store(nullptr);
    });
    threads.join();
  });
  ASSERT_TRUE(failure);
  EXPECT_TRUE(has(failure->what, "crashed: Segmentation fault")) << failure->text();
}

TEST(Simulation, TimeIsVirtual) {
  sim::explore({.seeds = 200}, [] {
    const std::int64_t begin = sim::now();
    goro::atomic<std::uint32_t> word{0};
    sim::Threads threads;
    threads.start("sleeper", [&] { futex_sleep_for(&word, 0, 3'600'000'000'000); });
    threads.join();
    EXPECT_GE(sim::now() - begin, 3'600'000'000'000);
  });
}

TEST(Simulation, RunsTheWholeRuntime) {
  sim::explore({.seeds = 500}, [] { EXPECT_EQ(sum_of_goroutines(3), 28); });
}

TEST(Simulation, StopsTheWorld) {
  sim::explore({.seeds = 500}, [] {
    int done = 0;
    run(
        [&] {
          WaitGroup group;
          Channel<int> counted(64);
          for (int i = 0; i < 6; ++i) {
            group.go([counted, i] {
              yield();
              if (i % 3 == 0) max_procs(1 + i % 4);
              counted.send(1);
            });
          }
          max_procs(4);
          group.wait();
          done = static_cast<int>(counted.size());
        },
        {.procs = 2});
    EXPECT_EQ(done, 6);
  });
}

TEST(Simulation, ShowsARuntimesDeadlock) {
  const auto failure =
      sim::find_failure({.seeds = 10}, [] { run([] { Channel<int>().receive(); }, {.procs = 2}); });
  ASSERT_TRUE(failure);
  EXPECT_TRUE(has(failure->what, "all goroutines are asleep - deadlock!")) << failure->text();
  EXPECT_TRUE(has(failure->what, "goroutine 1 [chan receive]")) << failure->text();
}

}  // namespace goro::testing

#endif
