// Many threads, watched by ThreadSanitizer: timers of all Ps, set and stopped by all Ps.
#include <atomic>
#include <chrono>

#include "support.h"

namespace goro::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kTimers = 32;
constexpr int kGoroutines = 4;
constexpr int kTurns = 200;

TEST(Race, TimersAreSetAndStoppedByAll) {
  GORO_STEP("four Ps: four goroutines stop and reset each other's timers, 1000 times each");
  GORO_STEP("then each timer is stopped, set once more, and must fire");
  GORO_STEP("\"all goroutines are asleep\" means here: one did not, its timer was lost");
  std::atomic<int> last{0};
  run(
      [&] {
        std::atomic<bool> counts{false};
        const Channel<int> fired(2 * kTimers);
        std::vector<goro::Timer> timers;
        for (int i = 0; i < kTimers; ++i) {
          timers.push_back(after_func(1h, [fired, flag = &counts, n = &last] {
            if (!flag->load()) return;
            n->fetch_add(1);
            fired.send(1);
          }));
        }
        const Channel<int> ended(kGoroutines);
        for (unsigned g = 0; g < kGoroutines; ++g) {
          go([g, ended, all = &timers] {
            unsigned random = g * 7919 + 1;
            for (int i = 0; i < 1000; ++i) {
              random = random * 1664525 + 1013904223;
              const goro::Timer& timer = (*all)[random >> 16 & (kTimers - 1)];
              if ((random >> 8 & 1) != 0) {
                timer.stop();
              } else {
                timer.reset(std::chrono::microseconds(random >> 24));
              }
              if (i % 64 == 0) yield();
            }
            ended.send(1);
          });
        }
        for (int i = 0; i < kGoroutines; ++i) ended.receive();
        for (const goro::Timer& timer : timers) timer.stop();
        counts.store(true);
        for (const goro::Timer& timer : timers) timer.reset(1us);
        for (int i = 0; i < kTimers; ++i) fired.receive();
      },
      {.procs = 4});
  EXPECT_GE(last.load(), kTimers) << "each timer that is set fires";
}

TEST(Race, AFunctionSeesWhatWasWrittenBefore) {
  int plain[kGoroutines] = {};
  std::atomic<int> wrong{0};
  GORO_STEP(
      "four Ps: four goroutines write plain memory, set a timer whose function reads it, and wait "
      "for it, ",
      kTurns, " times each");
  run(
      [&] {
        const Channel<int> ended(kGoroutines);
        for (int& mine : plain) {
          go([cell = &mine, ended, bad = &wrong] {
            const Channel<int> done(1);
            for (int turn = 1; turn <= kTurns; ++turn) {
              *cell = turn;
              after_func(std::chrono::microseconds(turn % 20), [cell, turn, done, bad] {
                if (*cell != turn) bad->fetch_add(1);
                *cell = -turn;
                done.send(1);
              });
              done.receive();
              if (*cell != -turn) bad->fetch_add(1);
            }
            ended.send(1);
          });
        }
        for (int i = 0; i < kGoroutines; ++i) ended.receive();
      },
      {.procs = 4});
  EXPECT_EQ(wrong.load(), 0) << "whoever sets a timer happens before what the timer does";
}

TEST(Race, SleepersWhilePsComeAndGo) {
  std::atomic<int> woken{0};
  GORO_STEP(
      "40 goroutines sleep ten times each, while the number of Ps goes up and down between 1 and "
      "5");
  GORO_STEP("\"all goroutines are asleep\" means here: a timer was lost with its P");
  run(
      [&] {
        const Channel<int> ended(40);
        for (int i = 0; i < 40; ++i) {
          go([i, ended, n = &woken] {
            for (int turn = 0; turn < 10; ++turn) sleep(std::chrono::microseconds(50 + i * 13));
            n->fetch_add(1);
            ended.send(1);
          });
        }
        for (int i = 0; i < 20; ++i) {
          max_procs(1 + (i * 3) % 5);
          sleep(200us);
        }
        for (int i = 0; i < 40; ++i) ended.receive();
      },
      {.procs = 4});
  EXPECT_EQ(woken.load(), 40) << "each sleeper is woken";
}

TEST(Race, ChannelsOfTimers) {
  std::atomic<int> received{0};
  GORO_STEP(
      "four Ps: goroutine 1 and two others share timers: one receives, one stops, one resets");
  run(
      [&] {
        const Channel<int> ended(2);
        const goro::Timer timer(1us);
        const goro::Ticker ticker(20us);
        go([timer, ended] {
          for (int i = 0; i < kTurns; ++i) {
            timer.stop();
            yield();
          }
          ended.send(1);
        });
        go([timer, ticker, ended] {
          for (int i = 0; i < kTurns; ++i) {
            timer.reset(std::chrono::microseconds(i % 10));
            ticker.reset(std::chrono::microseconds(10 + i % 10));
            yield();
          }
          ended.send(1);
        });
        for (int i = 0; i < kTurns; ++i) {
          std::optional<time_point> time;
          timer.channel().try_receive(time);
          if (i % 10 == 0 && ticker.channel().receive()) received.fetch_add(1);
        }
        for (int i = 0; i < 2; ++i) ended.receive();
        timer.reset(1us);
        if (timer.channel().receive()) received.fetch_add(1);
      },
      {.procs = 4});
  EXPECT_EQ(received.load(), kTurns / 10 + 1) << "a ticker goes on, and a timer that is set sends";
}

}  // namespace
}  // namespace goro::testing
