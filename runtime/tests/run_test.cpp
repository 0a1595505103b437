// run(), go() and what goroutines may ask, as a program sees them.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "goro/detail/park.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"
#include "testing/whole_slices.h"

TEST(Run, ReturnsWhatMainReturns) {
  GORO_STEP("run a main that returns 7");
  EXPECT_EQ(goro::run([] { return 7; }), 7);
  GORO_STEP("run a main that returns nothing");
  EXPECT_EQ(goro::run([] {}), 0);
}

// Made before everything else, so destroyed after it: meanwhile the scheduler goes on.
[[gnu::init_priority(101)]] const struct EndsSlowly {
  EndsSlowly() = default;
  EndsSlowly(const EndsSlowly&) = delete;
  EndsSlowly& operator=(const EndsSlowly&) = delete;
  ~EndsSlowly() {
    if (in_middle_of_run) usleep(20'000);
  }
  inline static bool in_middle_of_run = false;
} ends_slowly;

TEST(Run, AProgramMayExitInTheMiddle) {
  const auto end = goro::testing::in_child([] {
    goro::run(
        [] {
          for (int i = 0; i < 8; ++i) {
            goro::go([] {
              for (;;) goro::yield();
            });
          }
          for (int i = 0; i < 1000; ++i) goro::yield();
          EndsSlowly::in_middle_of_run = true;
          std::exit(7);
        },
        {.procs = 4});
  });
  EXPECT_EQ(end.status, 7) << "std::exit(7) in a goroutine: " << end.told();
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
  const goro::testing::WholeSlices whole_slices;
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

TEST(Go, OutsideOfRunThrowsPanicAndKeepsNothing) {
  const auto token = std::make_shared<int>(0);
  GORO_STEP("go() outside of run, with a small closure and with one that is too large for a G");
  EXPECT_THROW(goro::go([token] {}), goro::Panic);
  const std::array<char, 100> ballast{};
  EXPECT_THROW(goro::go([token, ballast] { static_cast<void>(ballast); }), goro::Panic);
  EXPECT_EQ(token.use_count(), 1) << "the closures must be destroyed";
}

TEST(Go, AClosureIsDestroyedOnceWhateverItsSize) {
  const auto token = std::make_shared<int>(0);
  goro::run([&] {
    goro::WaitGroup group;
    const std::array<char, 100> ballast{};
    for (int i = 0; i < 100; ++i) {
      group.go([token] {});
      group.go([token, ballast] { static_cast<void>(ballast); });
    }
    group.wait();
    // They were counted down before they ended.
    for (int i = 0; i < 100'000 && token.use_count() != 1; ++i) goro::yield();
  });
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Go, AClosureOfHandlesNeedsNoHeap) {
  // What a lambda captures from a const variable is const, and moving it copies it. go() keeps a
  // closure in the goroutine if moving it cannot throw.
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<goro::Channel<std::string>>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<goro::SendChannel<int>>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<goro::ReceiveChannel<int>>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<goro::WaitGroup>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<goro::Timer>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<goro::Context>);
}

TEST(Go, AShortStringMovesIntoTheGoroutine) {
  // A short string points into itself. On the spawner's growable stack that is an address of a
  // local, but the closure is judged by what it holds once it is in the goroutine.
  std::string seen;
  goro::run(
      [&] {
        goro::WaitGroup group;
        std::string* out = &seen;
        group.go([group, out] {
          std::string word = "short";
          goro::go([group, out, word = std::move(word)] { *out = word; });
        });
        group.wait();
        while (out->empty()) goro::yield();
      },
      {.procs = 1});
  EXPECT_EQ(seen, "short");
}

// Takes more than 2 KB, so that the stack is one that can shrink.
int deep(int depth) {
  volatile char frame[256] = {};
  return depth == 0 ? frame[0] : deep(depth - 1) + frame[1];
}

TEST(Park, TheStackMayShrinkUnderTheArgumentOfTheUnlockFunction) {
  int lost = 0;
  goro::run([&] {
    goro::WaitGroup group;
    int* out = &lost;
    group.go([out] {
      deep(20);
      for (int i = 0; i < 300; ++i) {
        bool reached = false;
        goro::detail::park(
            [](void* arg) {
              *static_cast<bool*>(arg) = true;
              return false;
            },
            &reached, goro::detail::Waiting::semaphore);
        if (!reached) ++*out;
      }
    });
    group.wait();
  });
  EXPECT_EQ(lost, 0) << "park_m must hand the unlock function the argument where it is now: the "
                        "stack that it lies on may have moved in before_park";
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
