// run(), go() and what goroutines may ask, as a program sees them.
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "goro/goro.h"
#include "testing/story.h"

TEST(Run, ReturnsWhatMainReturns) {
  GORO_STEP("run a main that returns 7");
  EXPECT_EQ(goro::run([] { return 7; }), 7);
  GORO_STEP("run a main that returns nothing");
  EXPECT_EQ(goro::run([] {}), 0);
}

TEST(Run, MayBeCalledAgainAndIdsStartAtOne) {
  for (int i = 0; i < 100; ++i) {
    std::uint64_t id = 0;
    goro::run([&] {
      id = goro::goroutine_id();
      for (int n = 0; n < 100; ++n) goro::go([] {});
      goro::yield();
    });
    ASSERT_EQ(id, 1U) << "in run number " << i + 1;
  }
}

TEST(Go, RunsAMoveOnlyClosureOnce) {
  int seen = 0;
  goro::run([&] {
    goro::WaitGroup group;
    auto value = std::make_unique<int>(42);
    int* out = &seen;
    group.go([out, value = std::move(value)] { *out += *value; });
    group.wait();
  });
  EXPECT_EQ(seen, 42);
}

TEST(Go, LastCreatedRunsFirstThenInOrder) {
  std::vector<int> order;
  goro::run(
      [&] {
        goro::WaitGroup group;
        std::vector<int>* out = &order;
        for (int i = 0; i < 100; ++i) group.go([i, out] { out->push_back(i); });
        group.wait();
      },
      {.procs = 1});
  std::vector<int> expected{99};
  for (int i = 0; i < 99; ++i) expected.push_back(i);
  EXPECT_EQ(order, expected);
}

TEST(Go, OutsideOfRunThrowsPanic) {
  EXPECT_THROW(goro::go([] {}), goro::Panic);
}

TEST(MaxProcs, ChangesLive) {
  goro::run(
      [] {
        EXPECT_EQ(goro::max_procs(), 4);
        EXPECT_EQ(goro::max_procs(1), 4);
        EXPECT_EQ(goro::max_procs(8), 1);
        EXPECT_EQ(goro::max_procs(), 8);
      },
      {.procs = 4});
}
