// The simulator itself: planted mistakes are found, shortened and told; right code is left alone.
#if GORO_SIMULATE

#include <gtest/gtest.h>

#include "contracts/atomic.h"
#include "contracts/lock.h"
#include "contracts/model.h"
#include "contracts/run_queue.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

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

}  // namespace

TEST(Simulation, FindsALostIncrement) {
  const auto failure = sim::find_failure({.seeds = 100}, count_badly);
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->what.find("an increment was lost"), std::string::npos) << failure->text();
  EXPECT_EQ(failure->switches, 1U) << failure->text();
  EXPECT_NE(failure->story.find("count.store(1)"), std::string::npos) << failure->text();
}

TEST(Simulation, LeavesRightCodeAlone) {
  sim::explore({.seeds = 2000}, count_well);
}

TEST(Simulation, RunsTheWholeRuntime) {
  sim::explore({.seeds = 500}, [] {
    int sum = 0;
    run(
        [&] {
          Channel<int> results;
          for (int i = 0; i < 8; ++i) {
            go([results, i] { results.send(i); });
          }
          for (int i = 0; i < 8; ++i) sum += *results.receive();
        },
        {.procs = 3});
    EXPECT_EQ(sum, 28);
  });
}

}  // namespace goro::testing

#endif
