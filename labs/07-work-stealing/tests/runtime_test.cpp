// The whole runtime: work in one queue reaches every P, once.
#include <atomic>
#include <chrono>

#include "contracts/constants.h"
#include "goro/goro.h"
#include "support.h"
#include "testing/whole_slices.h"

namespace goro::testing {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kDepth = 7;
#else
constexpr int kDepth = 10;
#endif

TEST(Runtime, TheLastThatSpinsWakesAnother) {
  GORO_STEP("on three Ps, goroutine 1 spawns two goroutines that each wait, busily, for the other");
  GORO_STEP("goroutine 1 is busy too, until both have met: three Ms must run at once");
  GORO_STEP("nobody is asked to give way, so nobody makes room for another");
  const WholeSlices whole_slices;
  std::atomic<int> inside{0};
  goro::run(
      [&] {
        WaitGroup group;
        auto* in = &inside;
        for (int i = 0; i < 2; ++i) {
          group.go([in] {
            in->fetch_add(1);
            while (in->load() < 2) {
            }
          });
        }
        while (in->load() < 2) {
        }
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(inside.load(), 2) << "both goroutines must have run, beside goroutine 1";
}

TEST(Runtime, AGoroutineInRunnextIsNotKeptBehindABusyOne) {
  GORO_STEP("on two Ps, goroutine 1 spawns another (into runnext) and is busy until it has run");
  std::atomic<int> ran{0};
  goro::run(
      [&] {
        WaitGroup group;
        auto* out = &ran;
        for (int i = 0; i < 20; ++i) {
          group.go([out] { out->fetch_add(1); });
          while (out->load() <= i) {
          }
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(ran.load(), 20) << "each must have been taken from runnext by the other P";
}

TEST(Runtime, ATreeOfGoroutinesRunsEachOnce) {
  std::atomic<int> count{0};
  struct Tree {
    static void grow(int depth, const WaitGroup& group, std::atomic<int>* n) {
      n->fetch_add(1, std::memory_order_relaxed);
      if (depth == 0) return;
      for (int i = 0; i < 2; ++i) {
        group.go([depth, group, n] { grow(depth - 1, group, n); });
      }
    }
  };
  for (const int procs : {1, 2, 5, 64}) {
    GORO_STEP("a tree of ", (2 << kDepth) - 1, " goroutines on ", procs, " Ps");
    count.store(0);
    goro::run(
        [&] {
          WaitGroup group;
          Tree::grow(kDepth, group, &count);
          group.wait();
        },
        {.procs = procs});
    ASSERT_EQ(count.load(), (2 << kDepth) - 1)
        << "every goroutine must run exactly once, whoever steals it";
  }
}

TEST(Runtime, TheNumberOfPsChangesWhileMsSteal) {
  std::atomic<int> count{0};
  GORO_STEP("goroutines that yield, on 1 to 6 Ps in turn: the world is stopped while others steal");
  goro::run(
      [&] {
        WaitGroup group;
        auto* out = &count;
        // Nothing is runnable meanwhile, so this M must look elsewhere. In the rounds the GRQ is so
        // full of those that yield that with luck nobody needs to.
        sleep(std::chrono::milliseconds(1));
        for (int round = 0; round < 12; ++round) {
          for (int i = 0; i < 50; ++i) {
            group.go([out] {
              yield();
              out->fetch_add(1, std::memory_order_relaxed);
            });
          }
          max_procs(1 + round * 5 % 6);
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(count.load(), 600) << "every goroutine must run, whatever became of its P";
}

}  // namespace
}  // namespace goro::testing
