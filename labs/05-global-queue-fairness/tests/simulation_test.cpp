// Several Ms at the GRQ, taking turns at every atomic access, as a seed decides.
#include <gtest/gtest.h>

#include "contracts/scheduler.h"
#include "goro/goro.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 2000;

}  // namespace

TEST(Simulated, MsThatLookAtOnceTakeEveryGoroutineOnce) {
  GORO_STEP(
      "three Ms called find_runnable until each had found one of the marks behind nine goroutines "
      "of the GRQ; the schedtick of each P began one before a multiple of 61");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr int kMs = 3;
    constexpr int kGoroutines = 9;
    constexpr int kMarks = 24;
    FakeM fake(kMs);
    {
      const sim::Undisturbed quiet;
      fill_global(fake, kGoroutines + kMarks);
    }
    int taken[kGoroutines + kMarks + 1] = {};
    const auto look = [&](int i) {
      P* pp = fake.p(i);
      pp->schedtick = kGlobalQueueTick - 1;
      for (;;) {
        const G* gp = find_runnable().gp;
        if (gp == nullptr) sim::fail("find_runnable returned null");
        ++taken[gp->goid];
        ++pp->schedtick;  // what execute would do
        if (gp->goid > kGoroutines) return;
      }
    };
    sim::Threads others;
    for (int i = 1; i < kMs; ++i) {
      others.start(i == 1 ? "M1" : "M2", [&fake, &look, i] {
        const FakeThread thread(fake.p(i));
        look(i);
      });
    }
    look(0);
    others.join();
    const sim::Undisturbed quiet;
    const std::int32_t size = sched.runqsize.load();
    const Ids global = fake.drain_global();
    EXPECT_EQ(static_cast<std::size_t>(size), global.size()) << "sched.runqsize is wrong";
    for (const std::uint64_t id : global) ++taken[id];
    for (int i = 0; i < kMs; ++i) {
      for (const std::uint64_t id : ring_of(fake.p(i))) ++taken[id];
    }
    for (int id = 1; id <= kGoroutines + kMarks; ++id) {
      EXPECT_EQ(taken[id], 1) << "goroutine " << id << " of the GRQ was taken " << taken[id]
                              << " times; the lock of the GRQ must be held";
    }
  });
}

TEST(Simulated, YieldersOnThreePsRunAsOftenAsTheyYield) {
  GORO_STEP(
      "four goroutines that yield three times each, on three Ps: what yields goes to the GRQ, "
      "which "
      "is often empty when somebody gets there");
  sim::explore(
      {.seeds = kSeeds}, [] {
        constexpr int kGoroutines = 4;
        constexpr int kTurns = 3;
        int turns[kGoroutines] = {};
        goro::run(
            [&] {
              WaitGroup group;
              for (int& mine : turns) {
                int* out = &mine;
                group.go([out] {
                  for (int n = 0; n < kTurns; ++n) {
                    ++*out;
                    yield();
                  }
                });
              }
              group.wait();
            },
            {.procs = 3});
        for (const int count : turns) {
          EXPECT_EQ(count, kTurns)
              << "a goroutine was run by two Ms at once, or lost on its way through the GRQ";
        }
      });
}

}  // namespace goro::testing
