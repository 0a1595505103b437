// Timers in whole programs: sleep, timers run by thieves, Ps that go away, who sleeps until when.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"
#include "tests/scale.h"
#include "tests/under_lock.h"

namespace {

using namespace std::chrono_literals;
using goro::testing::in_child;
using goro::testing::kScale;

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

TEST(Sleep, NobodyWakesBeforeItsTimeWhoeverElseSleeps) {
  std::vector<std::chrono::nanoseconds> early;
  goro::run(
      [&] {
        auto* out = &early;
        const goro::WaitGroup group;
        for (const int ms : {30, 10, 20}) {
          group.go([out, ms] {
            const goro::time_point due = goro::now() + std::chrono::milliseconds(ms);
            goro::sleep_until(due);
            if (const auto now = goro::now(); now < due) out->push_back(due - now);
          });
        }
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(early.empty()) << early.size() << " of three woke too early, the first by "
                             << early.front().count() << " ns";
}

TEST(Sleep, ThousandsOnFewThreads) {
  constexpr int kSleepers = 1250 * kScale;
  for (const int procs : {1, 2, 4}) {
    GORO_STEP(kSleepers, " goroutines sleep ten times each, on ", procs, " Ps");
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

TEST(Sleep, OnALockedThread) {
  for (const int procs : {1, 2}) {
    int woken = 0;
    goro::run(
        [&] {
          goro::lock_os_thread();
          for (; woken < 5; ++woken) goro::sleep(1ms);
          goro::unlock_os_thread();
        },
        {.procs = procs});
    EXPECT_EQ(woken, 5);
  }
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

namespace {

using Time = std::optional<goro::time_point>;

// ---- after_func, Timer, Ticker ----

TEST(AfterFunc, RunsInAGoroutineOfItsOwn) {
  std::uint64_t id = 0;
  goro::run([&] {
    std::uint64_t* out = &id;
    const goro::Channel<int> done;
    goro::after_func(2ms, [out, done] {
      *out = goro::goroutine_id();
      goro::yield();
      done.send(1);
    });
    done.receive();
  });
  EXPECT_GT(id, 1U);
}

TEST(AfterFunc, StoppedItDoesNotRun) {
  goro::run([] {
    std::atomic<int> runs{0};
    std::atomic<int>* count = &runs;
    const goro::Timer timer = goro::after_func(1h, [count] { count->fetch_add(1); });
    EXPECT_FALSE(timer.channel());
    EXPECT_TRUE(timer.stop());
    EXPECT_FALSE(timer.stop()) << "it was stopped already";
    EXPECT_FALSE(timer.reset(1ms)) << "it was not set";
    while (runs.load() != 1) goro::sleep(100us);
    EXPECT_FALSE(timer.stop()) << "it has fired";
    EXPECT_FALSE(timer.reset(1h));
    EXPECT_TRUE(timer.reset(1ms)) << "it was set";
    while (runs.load() != 2) goro::sleep(100us);
  });
}

TEST(AfterFunc, ItsFunctionIsDestroyedOnceByAGoroutine) {
  struct Probe {
    std::atomic<int>* count;
    explicit Probe(std::atomic<int>* c) : count(c) {}
    Probe(Probe&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
    ~Probe() {
      if (count != nullptr && goro::goroutine_id() != 0) count->fetch_add(1);
    }
    void operator()() {}
  };
  std::atomic<int> destroyed{0};
  goro::run(
      [&] {
        for (int i = 0; i < 100; ++i) {
          goro::after_func(std::chrono::microseconds(i), Probe(&destroyed));
          const goro::Timer stopped = goro::after_func(1h, Probe(&destroyed));
          EXPECT_TRUE(stopped.stop());
          const goro::Timer again = goro::after_func(1h, Probe(&destroyed));
          again.reset(std::chrono::microseconds(i));
        }
        while (destroyed.load() != 300) goro::sleep(100us);
        goro::after_func(1h, Probe(&destroyed));  // never fires
      },
      {.procs = 3});
  EXPECT_EQ(destroyed.load(), 300);
}

TEST(Timer, SendsTheTimeOnce) {
  goro::run([] {
    const auto begin = goro::now();
    const goro::Timer timer(3ms);
    const Time time = timer.channel().receive();
    ASSERT_TRUE(time);
    EXPECT_GE(*time, begin + 3ms);
    EXPECT_LE(*time, goro::now());
    Time none;
    EXPECT_FALSE(timer.channel().try_receive(none));
    EXPECT_FALSE(timer.stop());
    EXPECT_EQ(timer.channel().size(), 0U);
    EXPECT_EQ(timer.channel().capacity(), 0U);
  });
}

TEST(Timer, NothingStaleAfterStopAndReset) {
  for (const int procs : {1, 3}) {
    goro::run(
        [&] {
          for (int i = 0; i < 200; ++i) {
            const goro::Timer timer(std::chrono::microseconds(i % 50));
            goro::sleep(20us);
            const bool pending = timer.stop();
            Time time;
            EXPECT_FALSE(timer.channel().try_receive(time)) << "received after stop";
            EXPECT_TRUE(pending) << "nobody has received, so stop has prevented it";
            const auto begin = goro::now();
            timer.reset(100us);
            EXPECT_GE(*timer.channel().receive(), begin + 100us) << "received an old time";
          }
        },
        {.procs = procs});
  }
}

TEST(Timer, ResetWhileSetMovesIt) {
  goro::run([] {
    const auto begin = goro::now();
    const goro::Timer later(1ms);
    EXPECT_TRUE(later.reset(20ms));
    const goro::Timer sooner(1h);
    EXPECT_TRUE(sooner.reset(2ms));
    sooner.channel().receive();
    later.channel().receive();
    EXPECT_GE(goro::now() - begin, 20ms);
  });
}

TEST(Timer, ItsChannelOutlivesTheHandle) {
  goro::run([] {
    goro::ReceiveChannel<goro::time_point> channel = goro::after(2ms);
    EXPECT_TRUE(channel.receive());
    for (int i = 0; i < 1000; ++i) goro::after(1h);  // nobody can receive: they go away
    EXPECT_TRUE(goro::after(1ms).receive());
    goro::on_system_stack([] {
      goro::getm()->p->timers.check();
      EXPECT_LE(goro::getm()->p->timers.len.load(), 300U) << "stopped timers must not pile up";
    });
  });
}

TEST(Timer, InASelect) {
  int timeouts = 0;
  int values = 0;
  goro::run([&] {
    const goro::Channel<int> numbers;
    goro::go([numbers] {
      for (int i = 0; i < 5; ++i) {
        goro::sleep(3ms);
        numbers.send(i);
      }
      numbers.close();
    });
    for (bool open = true; open;) {
      goro::select(goro::on_receive(numbers,
                                    [&](std::optional<int> v) {
                                      open = v.has_value();
                                      values += open ? 1 : 0;
                                    }),
                   goro::on_receive(goro::after(1ms), [&](const Time&) { ++timeouts; }));
    }
  });
  EXPECT_EQ(values, 5);
  EXPECT_GE(timeouts, 5);
}

TEST(Ticker, TicksAndStops) {
  goro::run([] {
    const auto begin = goro::now();
    const goro::Ticker ticker(2ms);
    for (int i = 1; i <= 5; ++i) {
      EXPECT_GE(*ticker.channel().receive(), begin + i * 2ms);
    }
    goro::sleep(11ms);
    ticker.channel().receive();  // one that waited; the others were left out
    ticker.reset(1h);
    Time time;
    EXPECT_FALSE(ticker.channel().try_receive(time));
    ticker.reset(1ms);
    EXPECT_TRUE(ticker.channel().receive());
    ticker.stop();
    goro::sleep(3ms);
    EXPECT_FALSE(ticker.channel().try_receive(time)) << "it was stopped";
    EXPECT_EQ(ticker.channel().capacity(), 0U);
  });
}

TEST(Ticker, WantsAnInterval) {
  goro::run([] {
    std::string text;
    try {
      goro::Ticker ticker(0ms);
    } catch (const goro::Panic& panic) {
      text = panic.what();
    }
    EXPECT_EQ(text, "non-positive interval for NewTicker");
    const goro::Ticker ticker(1h);
    try {
      ticker.reset(-1ms);
    } catch (const goro::Panic& panic) {
      text = panic.what();
    }
    EXPECT_EQ(text, "non-positive interval for Ticker.Reset");
  });
}

TEST(Timers, OfAPThatGoesAwayFire) {
  GORO_STEP("timers on 8 Ps, which become one");
  std::atomic<int> fired{0};
  goro::run(
      [&] {
        std::atomic<int>* count = &fired;
        for (int i = 0; i < 200; ++i) {
          goro::go([count] { goro::after_func(20ms, [count] { count->fetch_add(1); }); });
          if (i % 10 == 0) goro::sleep(50us);
        }
        goro::max_procs(1);
        while (fired.load() != 200) goro::sleep(1ms);
      },
      {.procs = 8});
  EXPECT_EQ(fired.load(), 200);
}

TEST(Timers, StoppedAndResetFromOtherPs) {
  GORO_STEP("four goroutines on four Ps stop and reset each other's timers");
  std::atomic<int> fired{0};
  goro::run(
      [&] {
        constexpr int kTimers = 64;
        std::vector<goro::Timer> timers;
        std::atomic<int>* count = &fired;
        for (int i = 0; i < kTimers; ++i) {
          timers.push_back(goro::after_func(1h, [count] { count->fetch_add(1); }));
        }
        const std::vector<goro::Timer>* all = &timers;
        const goro::WaitGroup group;
        for (unsigned g = 0; g < 4; ++g) {
          group.go([=] {
            unsigned random = g * 7919 + 1;
            for (int i = 0; i < 5000; ++i) {
              random = random * 1664525 + 1013904223;
              const goro::Timer& timer = (*all)[random >> 16 & (kTimers - 1)];
              if ((random >> 8 & 1) != 0) {
                timer.stop();
              } else {
                timer.reset(std::chrono::microseconds(random >> 24));
              }
              if (i % 64 == 0) goro::yield();
            }
          });
        }
        group.wait();
        for (const goro::Timer& timer : timers) timer.stop();
        const int before = fired.load();
        for (const goro::Timer& timer : timers) timer.reset(1us);
        while (fired.load() < before + kTimers) goro::sleep(100us);
        goro::sleep(2ms);
      },
      {.procs = 4});
}

TEST(Timers, AreLeftBehindByRunsWithoutGrowth) {
  for (int round = 0; round < 100; ++round) {
    goro::run(
        [] {
          for (int i = 0; i < 20; ++i) {
            goro::after_func(1h, [] {});
            goro::go([] { goro::sleep(1h); });
          }
          const goro::Ticker ticker(1ms);
          goro::yield();
        },
        {.procs = 2});
  }
}

}  // namespace
