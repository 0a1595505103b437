// Ms and Ps under load: everybody runs, nobody is lost, max_procs is live.
#include <unistd.h>

#include <atomic>
#include <vector>

#include "contracts/model.h"
#include "goro/goro.h"
#include "testing/story.h"
#include "tests/scale.h"
#include "tests/under_lock.h"

namespace {

using goro::testing::kScale;

TEST(Threads, BlockedOnesWakeEachOtherOnEveryNumberOfPs) {
  for (const int procs : {1, 2, 3, 8, 64}) {
    GORO_STEP("a ring of 50 goroutines passes a token 100 times, on ", procs, " Ps");
    int rounds = 0;
    goro::run(
        [&] {
          constexpr int kRing = 50;
          std::vector<goro::Channel<int>> ring(kRing);
          for (int i = 0; i < kRing; ++i) {
            goro::go([in = ring[static_cast<std::size_t>(i)],
                      out = ring[static_cast<std::size_t>((i + 1) % kRing)], i] {
              for (int n = 0; n < 100; ++n) {
                const int token = *in.receive();
                if (i == kRing - 1 && n == 99) return;
                out.send(token);
              }
            });
          }
          ring[0].send(1);
          while (goro::num_goroutine() > 1) goro::yield();
          rounds = 100;
        },
        {.procs = procs});
    EXPECT_EQ(rounds, 100);
  }
}

TEST(Threads, MaxProcsIsLiveWhileCallsBlockAndGoroutinesCompute) {
  std::atomic<int> done{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int i = 0; i < 20 * kScale; ++i) {
          group.go([d = &done, i] {
            for (int n = 0; n < 20; ++n) {
              if (i % 3 == 0) {
                goro::system_call([] { ::usleep(100); });
              } else {
                goro::yield();
              }
            }
            d->fetch_add(1);
          });
        }
        for (int i = 0; i < 20 * kScale; ++i) {
          goro::max_procs(1 + i % 6);
          goro::yield();
        }
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(done.load(), 20 * kScale);
}

TEST(Threads, StacksAndStopsWhileCallsBlock) {
  std::string text;
  goro::run(
      [&] {
        std::atomic<bool> stop{false};
        goro::WaitGroup group;
        for (int i = 0; i < 6; ++i) {
          group.go([s = &stop] {
            while (!s->load()) goro::system_call([] { ::usleep(20); });
          });
        }
        for (int i = 0; i < 20 * kScale; ++i) {
          text = goro::stacks();
          goro::yield();
        }
        stop.store(true);
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(text.find("goroutine 1 [running]:"), 0U) << text;
}

TEST(Threads, RestingPsHaveRestingThreads) {
  std::int32_t threads = 0;
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int i = 0; i < 100; ++i) group.go([] { goro::yield(); });
        group.wait();
        // Everybody goes to rest but this one: the other Ps, their Ms, and whoever was started for
        // a P while its M was still on its way to sleep.
        const auto at_rest = [] {
          bool yes = false;
          goro::on_system_stack([&] {
            goro::sched.lock.lock();
            yes = goro::sched.npidle.load() == 3 && goro::sched.nmspinning.load() == 0 &&
                  goro::sched.nmidle == goro::sched.mcount - 2;
            goro::sched.lock.unlock();
          });
          return yes;
        };
        while (!at_rest()) goro::yield();
        threads = static_cast<std::int32_t>(goro::testing::under_lock(goro::sched.mcount));
      },
      {.procs = 4});
  EXPECT_GE(threads, 2) << "this one and sysmon's";
  EXPECT_LT(threads, 50) << "a hundred goroutines on four Ps do not need a thread each";
}

}  // namespace
