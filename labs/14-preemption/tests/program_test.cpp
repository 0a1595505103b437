// Whole programs: all steps together, with goroutines that never stop of themselves.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "goro/goro.h"
#include "support.h"

namespace stoppable {

// A loop without calls.
[[gnu::noinline]] inline void spin_until(const bool* stop) {
  while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
  }
}

[[gnu::noinline]] inline std::uint64_t mix(std::uint64_t x, int rounds) {
  for (int i = 0; i < rounds; ++i) x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9U + 1;
  return x;
}

[[gnu::noinline]] inline double sum_of_inverses(int terms) {
  double sum = 0;
  for (int i = 1; i <= terms; ++i) sum += 1.0 / (static_cast<double>(i) + sum);
  return sum;
}

[[gnu::noinline]] inline int throws_at(int depth) {
  volatile int local = depth;
  if (depth == 0) throw std::runtime_error("bottom");
  struct Counts {
    volatile int* at;
    ~Counts() {
      for (int i = 0; i < 500; ++i) *at = *at + 1;
    }
  } counts{&local};
  return throws_at(depth - 1) + local;
}

}  // namespace stoppable

namespace goro::testing {
namespace {

void set(bool* flag) {
  __atomic_store_n(flag, true, __ATOMIC_RELAXED);
}

TEST(Program, ALoopWithoutCallsGivesWay) {
  GORO_STEP(
      "one P: goroutine 2 loops until goroutine 1 has run again (a test that ends by its time "
      "limit "
      "waited in vain)");
  const std::uint64_t before = async_preemptions();
  bool stop = false;
  run(
      [&] {
        const WaitGroup group;
        std::atomic<bool> runs{false};
        group.go([r = &runs, s = &stop] {
          r->store(true);
          stoppable::spin_until(s);
        });
        while (!runs.load()) yield();
        set(&stop);
        group.wait();
      },
      {.procs = 1});
  EXPECT_GT(async_preemptions(), before) << "a loop without calls can only be stopped by a signal";
}

TEST(Program, ATickerGoesOnBesideALoop) {
  GORO_STEP("one P: ten ticks beside a loop without calls");
  int ticks = 0;
  bool stop = false;
  run(
      [&] {
        const WaitGroup group;
        group.go([s = &stop] { stoppable::spin_until(s); });
        const Ticker ticker(std::chrono::milliseconds(1));
        for (; ticks < 10; ++ticks) ticker.channel().receive();
        set(&stop);
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(ticks, 10) << "each tick must be received although the loop never ends by itself";
}

TEST(Program, TheWorldStopsAlthoughOthersLoop) {
  GORO_STEP("two Ps: two goroutines loop for ever; max_procs and stacks() stop the world");
  std::string text;
  run(
      [&] {
        std::atomic<int> running{0};
        for (int i = 0; i < 2; ++i) {
          go([r = &running] {
            r->fetch_add(1);
            static const bool never = false;
            stoppable::spin_until(&never);
          });
        }
        while (running.load() < 2) yield();
        for (int n = 1; n < 4; ++n) max_procs(n);
        text = stacks();
      },
      {.procs = 2});
  EXPECT_NE(text.find("spin_until"), std::string::npos)
      << "a dump must see where the loops were stopped: goro_async_preempt's first two words are a "
         "frame record\n"
      << text;
}

TEST(Program, ComputesTheSameUnderAStormOfSignals) {
  GORO_STEP("six goroutines compute while signals come as fast as they can");
  constexpr int kRounds = 20'000;
  constexpr std::uint64_t kPreemptions = 2000;
  const std::uint64_t want = stoppable::mix(1, kRounds);
  const double want_sum = stoppable::sum_of_inverses(kRounds);
  std::atomic<int> wrong{0};
  run(
      [&] {
        const WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < 6; ++i) {
          group.go([=, bad = &wrong] {
            while (async_preemptions() - before < kPreemptions) {
              if (stoppable::mix(1, kRounds) != want) bad->fetch_add(1);
              if (stoppable::sum_of_inverses(kRounds) != want_sum) bad->fetch_add(1);
            }
          });
        }
        const Kicker kicker;
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0) << "sums that came out differently: a register has changed";
}

TEST(Program, NobodyIsStoppedInTheAllocator) {
  GORO_STEP("eight goroutines allocate while signals come as fast as they can");
  std::atomic<int> wrong{0};
  run(
      [&] {
        const WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < 8; ++i) {
          group.go([i, before, bad = &wrong] {
            std::vector<std::unique_ptr<std::string>> kept(50);
            for (std::size_t n = 0; async_preemptions() - before < 300; ++n) {
              auto& slot = kept[n * 7 % kept.size()];
              slot = std::make_unique<std::string>(20 + n % 300, static_cast<char>('a' + i));
              const auto& other = kept[n * 3 % kept.size()];
              if (other && (*other)[other->size() / 2] != 'a' + i) bad->fetch_add(1);
              stoppable::mix(n, 500);
            }
          });
        }
        const Kicker kicker;
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(wrong.load(), 0) << "strings that had others' letters: the heap is in disorder";
}

TEST(Program, ExceptionsFindTheirHandlers) {
  GORO_STEP("four goroutines throw through twenty frames under a storm of signals");
  std::atomic<int> wrong{0};
  run(
      [&] {
        const WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < 4; ++i) {
          group.go([before, bad = &wrong] {
            while (async_preemptions() - before < 200) {
              try {
                stoppable::throws_at(20);
                bad->fetch_add(1);
              } catch (const std::runtime_error& error) {
                stoppable::mix(1, 5000);
                if (std::strcmp(error.what(), "bottom") != 0) bad->fetch_add(1);
              }
            }
          });
        }
        const Kicker kicker;
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0) << "exceptions that were lost or were another's";
}

}  // namespace
}  // namespace goro::testing
