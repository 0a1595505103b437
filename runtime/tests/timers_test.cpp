// Timers in whole programs: sleep, timers run by thieves, Ps that go away, who sleeps until when.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "goro/goro.h"
#include "testing/story.h"
#include "tests/child.h"

namespace {

using namespace std::chrono_literals;
using goro::testing::in_child;

std::chrono::nanoseconds time_of(const std::function<void()>& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - begin;
}

TEST(Sleep, LastsAsLongAsItWasAskedFor) {
  for (const int procs : {1, 2, 4}) {
    GORO_STEP("sleep 5 ms ten times on ", procs, " Ps");
    std::chrono::nanoseconds shortest{1h};
    goro::run(
        [&] {
          for (int i = 0; i < 10; ++i) {
            shortest = std::min(shortest, time_of([] { goro::sleep(5ms); }));
          }
        },
        {.procs = procs});
    EXPECT_GE(shortest, 5ms) << "sleep must not return early";
  }
}

TEST(Sleep, OfNothingAndLessReturnsAtOnce) {
  int order = 0;
  goro::run([&] {
    goro::sleep(0ns);
    goro::sleep(-5h);
    goro::sleep(std::chrono::hours::min());
    goro::sleep_until(goro::now() - 1s);
    goro::sleep_until(goro::time_point::min());
    order = 1;
  });
  EXPECT_EQ(order, 1);
}

TEST(Sleep, ForEverIsPossible) {
  GORO_STEP("a goroutine sleeps for hours::max, another for duration<double>(1e300)");
  goro::run([&] {
    goro::go([] { goro::sleep(std::chrono::hours::max()); });
    goro::go([] { goro::sleep(std::chrono::duration<double>(1e300)); });
    goro::go([] { goro::sleep_until(goro::time_point::max()); });
    goro::sleep(2ms);
    EXPECT_EQ(goro::num_goroutine(), 4U) << "they must sleep still";
  });
}

TEST(Sleep, ShorterSleepersWakeFirst) {
  std::vector<int> order;
  goro::run(
      [&] {
        std::vector<int>* out = &order;
        for (const int ms : {30, 10, 20}) {
          goro::go([out, ms] {
            goro::sleep(std::chrono::milliseconds(ms));
            out->push_back(ms);
          });
        }
        while (order.size() < 3) goro::sleep(1ms);
      },
      {.procs = 1});
  EXPECT_EQ(order, (std::vector<int>{10, 20, 30}));
}

TEST(Sleep, TenThousandOnFewThreads) {
  constexpr int kSleepers = 10'000;
  for (const int procs : {1, 2, 4}) {
    GORO_STEP("10,000 goroutines sleep ten times each, on ", procs, " Ps");
    std::atomic<int> woken{0};
    std::int64_t threads = 0;
    goro::run(
        [&] {
          std::atomic<int>* count = &woken;
          goro::WaitGroup group;
          for (int i = 0; i < kSleepers; ++i) {
            group.go([count, i] {
              for (int n = 0; n < 10; ++n) {
                goro::sleep(std::chrono::microseconds(i % 997));
                count->fetch_add(1, std::memory_order_relaxed);
              }
            });
          }
          group.wait();
          threads = goro::testing::under_lock(goro::sched.mcount);
        },
        {.procs = procs});
    EXPECT_EQ(woken.load(), kSleepers * 10);
    EXPECT_LE(threads, procs + 4) << "sleepers must not cost threads";
  }
}

TEST(Sleep, WakesAGoroutineWhileAnotherComputesOnItsP) {
  GORO_STEP("goroutine 2 sleeps on a P that then computes without end, and another P is free");
  goro::run(
      [&] {
        std::atomic<bool> woken{false};
        std::atomic<bool>* flag = &woken;
        goro::go([flag] {
          goro::sleep(5ms);
          flag->store(true);
        });
        goro::yield();
        // Nothing is called here, so this P runs nothing else: a thief must run its timer.
        while (!woken.load(std::memory_order_relaxed)) {
        }
      },
      {.procs = 2});
}

TEST(Sleep, WakesWhileTheOnlyPIsInASystemCall) {
  GORO_STEP("goroutine 2 sleeps 5 ms, goroutine 1 blocks in the kernel until it has woken");
  goro::run(
      [&] {
        std::atomic<bool> woken{false};
        std::atomic<bool>* flag = &woken;
        goro::go([flag] {
          goro::sleep(5ms);
          flag->store(true);
        });
        goro::yield();
        goro::system_call([flag] {
          while (!flag->load()) ::usleep(100);
        });
      },
      {.procs = 1});
}

TEST(Sleep, IsNoDeadlock) {
  goro::run([] {
    const goro::Channel<int> never(1);
    goro::go([never] {
      goro::sleep(20ms);
      never.send(1);
    });
    never.receive();
  });
}

TEST(Sleep, ADeadlockBehindASleepIsReported) {
  const auto end = in_child([] {
    goro::run([] {
      goro::go([] { goro::sleep(20ms); });
      goro::Channel<int>().receive();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_NE(end.err.find("all goroutines are asleep - deadlock!"), std::string::npos) << end.err;
}

TEST(Sleep, IsSeenInADump) {
  std::string text;
  goro::run(
      [&] {
        goro::go([] { goro::sleep(1h); });
        for (int i = 0; i < 3; ++i) goro::yield();
        text = goro::stacks();
      },
      {.procs = 1});
  EXPECT_NE(text.find("goroutine 2 [sleep]:"), std::string::npos) << text;
}

TEST(Sleep, RunReturnsWhileOthersSleep) {
  for (int round = 0; round < 50; ++round) {
    goro::run(
        [] {
          for (int i = 0; i < 20; ++i) goro::go([] { goro::sleep(1h); });
          goro::sleep(100us);
        },
        {.procs = 3});
  }
}

TEST(Sleep, SurvivesChangesOfTheNumberOfPs) {
  GORO_STEP("sleepers on 8 Ps while max_procs goes up and down");
  std::atomic<int> woken{0};
  goro::run(
      [&] {
        std::atomic<int>* count = &woken;
        goro::WaitGroup group;
        for (int i = 0; i < 400; ++i) {
          group.go([count, i] {
            for (int n = 0; n < 10; ++n) goro::sleep(std::chrono::microseconds(100 + i * 7));
            count->fetch_add(1);
          });
        }
        for (int i = 0; i < 40; ++i) {
          goro::max_procs(1 + (i * 5) % 8);
          goro::sleep(300us);
        }
        group.wait();
      },
      {.procs = 8});
  EXPECT_EQ(woken.load(), 400);
}

}  // namespace
