// Whole programs. Nothing here expects that a timer fires soon: only that it fires, never early,
// and in the order of time.
#include <atomic>
#include <chrono>

#include "support.h"
#include "testing/whole_slices.h"

namespace goro::testing {
namespace {

using namespace std::chrono_literals;
using Time = std::optional<time_point>;

constexpr int kPs = 4;

TEST(Sleep, IsNeverTooShort) {
  for (const int procs : {1, 2, 4}) {
    GORO_STEP("on ", procs, " Ps, 40 goroutines sleep five times each, for 0.1 to 4 ms");
    std::atomic<int> early{0};
    std::atomic<int> woken{0};
    run(
        [&] {
          const WaitGroup group;
          for (int i = 0; i < 40; ++i) {
            group.go([i, bad = &early, n = &woken] {
              for (int turn = 0; turn < 5; ++turn) {
                const auto time = std::chrono::microseconds(100 + i * 97);
                const time_point begin = now();
                sleep(time);
                if (now() < begin + time) bad->fetch_add(1);
                n->fetch_add(1);
              }
            });
          }
          group.wait();
        },
        {.procs = procs});
    EXPECT_EQ(early.load(), 0) << "a sleeper was woken before its time";
    EXPECT_EQ(woken.load(), 200) << "each sleeper is woken, once for each sleep";
  }
}

TEST(Timer, SendsItsTimeOnce) {
  Time first;
  Time second;
  time_point due;
  time_point received;
  bool stopped = true;
  GORO_STEP("a timer for 2 ms from now; goroutine 1 receives");
  run(
      [&] {
        due = now() + 2ms;
        const Timer timer(2ms);
        first = timer.channel().receive();
        received = now();
        timer.channel().try_receive(second);
        stopped = timer.stop();
      },
      {.procs = 2});
  ASSERT_TRUE(first) << "the channel of a timer is never closed";
  EXPECT_GE(*first, due) << "not before its time";
  EXPECT_LE(*first, received) << "the time that is sent is the time at which it was due";
  EXPECT_FALSE(second) << "once";
  EXPECT_FALSE(stopped) << "it has fired and was received: stop has nothing to prevent";
}

TEST(Timer, NothingOldIsReceivedAfterStopOrReset) {
  int stale = 0;
  int lies = 0;
  int early = 0;
  GORO_STEP("200 timers, stopped and reset about when they fire");
  run(
      [&] {
        for (int i = 0; i < 200; ++i) {
          const Timer timer(std::chrono::microseconds(i % 50));
          sleep(20us);
          if (!timer.stop()) ++lies;
          Time time;
          if (timer.channel().try_receive(time)) ++stale;
          const time_point begin = now();
          timer.reset(50us);
          if (*timer.channel().receive() < begin + 50us) ++early;
        }
      },
      {.procs = 3});
  EXPECT_EQ(stale, 0) << "a time was received after stop(): drain_timer_channel, and seq";
  EXPECT_EQ(lies, 0) << "nobody has received, so stop() has prevented it, and must say true";
  EXPECT_EQ(early, 0) << "after reset(50 µs) an older time was received";
}

TEST(Ticker, NeverTicksEarly) {
  std::vector<time_point> ticks;
  time_point begin;
  bool after_stop = true;
  GORO_STEP("a ticker of 1 ms; ten ticks, with a pause in which nobody receives; then stop");
  run(
      [&] {
        begin = now();
        const Ticker ticker(1ms);
        for (int i = 0; i < 10; ++i) {
          if (i == 5) sleep(5ms);
          ticks.push_back(*ticker.channel().receive());
        }
        ticker.stop();
        sleep(3ms);
        Time time;
        after_stop = ticker.channel().try_receive(time);
      },
      {.procs = 2});
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    EXPECT_GE(ticks[i], begin + static_cast<int>(i + 1) * 1ms) << "tick " << i + 1 << " came early";
  }
  EXPECT_FALSE(after_stop) << "a stopped ticker does not tick";
}

TEST(AfterFunc, StopSaysWhetherItWillRun) {
  constexpr int kTurns = 300;
  std::atomic<int> ran{0};
  int prevented = 0;
  GORO_STEP("300 times: after_func, and stop() about when it fires");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: stop() returned false, as if it had fired, but it "
      "does not run");
  run(
      [&] {
        std::atomic<int>* count = &ran;
        const Channel<int> done(kTurns);
        for (int i = 0; i < kTurns; ++i) {
          const goro::Timer timer = after_func(std::chrono::microseconds(i % 40), [count, done] {
            count->fetch_add(1);
            done.send(1);
          });
          sleep(15us);
          if (timer.stop()) {
            ++prevented;
          } else {
            done.receive();
          }
        }
        sleep(1ms);
      },
      {.procs = 3});
  EXPECT_EQ(ran.load() + prevented, kTurns)
      << "stop() returned true, which means that it will not run; and it did";
}

TEST(Program, NoTimerIsLostWhenItsPGoes) {
  // Whoever is asked to give way would not stay on its P.
  const WholeSlices whole_slices;
  std::atomic<int> fired{0};
  GORO_STEP("four goroutines on four Ps set five timers each, for 30 ms from now");
  GORO_STEP("then there is one P only; goroutine 1 sets a timer for 31 ms and waits for it");
  run(
      [&] {
        std::atomic<int> arrived{0};
        const Channel<int> ended(kPs);
        for (int i = 0; i < kPs; ++i) {
          go([n = &arrived, count = &fired, ended] {
            // Nobody goes on until all four run: each has a P of its own.
            n->fetch_add(1);
            while (n->load() < kPs) {
            }
            for (int t = 0; t < 5; ++t) after_func(30ms, [count] { count->fetch_add(1); });
            ended.send(1);
          });
        }
        for (int i = 0; i < kPs; ++i) ended.receive();
        max_procs(1);
        after(31ms).receive();
        // It is the last of all; the goroutines of the others are runnable at least.
        let_others_run();
      },
      {.procs = kPs});
  EXPECT_EQ(fired.load(), 5 * kPs)
      << "timers were lost with their Ps: take() must move them to the heap of a P that stays";
}

}  // namespace
}  // namespace goro::testing
