// Channels and selects under schedules that a seed decides.
#if GORO_SIMULATE

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "goro/goro.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 3000;

// What goroutine 1 counts when everybody is done: from plain words that channels must have ordered.
void all_arrive(int capacity, int senders, int receivers, int each) {
  int sum = 0;
  run(
      [&] {
        const Channel<int> ch(capacity);
        const Channel<int> done;
        for (int s = 0; s < senders; ++s) {
          go([ch, each, s] {
            for (int i = 1; i <= each; ++i) ch.send(s * each + i);
          });
        }
        const int total = senders * each;
        for (int r = 0; r < receivers; ++r) {
          go([ch, done, n = total / receivers] {
            int own = 0;
            for (int i = 0; i < n; ++i) own += *ch.receive();
            done.send(own);
          });
        }
        for (int r = 0; r < receivers; ++r) sum += *done.receive();
      },
      {.procs = 3});
  const int total = senders * each;
  EXPECT_EQ(sum, total * (total + 1) / 2) << "a value was lost, or came twice";
}

}  // namespace

TEST(ChannelSimulation, EveryValueArrivesOnce) {
  for (const int capacity : {0, 1, 2}) {
    sim::explore({.seeds = kSeeds}, [capacity] { all_arrive(capacity, 2, 2, 2); });
  }
}

TEST(ChannelSimulation, CloseLosesNothing) {
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    int ends = 0;
    run(
        [&] {
          const Channel<int> ch(1);
          const Channel<std::pair<int, int>> done;
          for (int r = 0; r < 2; ++r) {
            go([ch, done] {
              int own = 0;
              for (const int v : ch) own += v;
              done.send({own, 1});
            });
          }
          for (int i = 1; i <= 3; ++i) ch.send(i);
          ch.close();
          for (int r = 0; r < 2; ++r) {
            const auto [own, end] = *done.receive();
            sum += own;
            ends += end;
          }
        },
        {.procs = 2});
    EXPECT_EQ(sum, 6);
    EXPECT_EQ(ends, 2);
  });
}

// The look without the lock must not take a channel for open and empty that never was both.
TEST(ChannelSimulation, ATryReceiveSeesTheEndOrAValue) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [] {
          const Channel<int> ch(1);
          const Channel<int> done;
          ch.send(1);
          go([ch, done] {
            ch.close();
            ch.receive();
            done.send(1);
          });
          std::optional<int> out;
          EXPECT_TRUE(ch.try_receive(out))
              << "there was a value, or the channel was closed, at every moment";
          done.receive();
        },
        {.procs = 2});
  });
}

TEST(ChannelSimulation, ASelectIsServedOnce) {
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    run(
        [&] {
          const Channel<int> a;
          const Channel<int> b;
          const Channel<int> done;
          for (const Channel<int>& ch : {a, b}) {
            go([ch] {
              ch.send(1);
              ch.send(10);
            });
          }
          go([a, b, done] {
            int own = 0;
            for (int i = 0; i < 4; ++i) {
              select(on_receive(a, [&](std::optional<int> v) { own += *v; }),
                     on_receive(b, [&](std::optional<int> v) { own += *v; }));
            }
            done.send(own);
          });
          sum = *done.receive();
        },
        {.procs = 3});
    EXPECT_EQ(sum, 22) << "a value was lost, or came twice";
  });
}

TEST(ChannelSimulation, SelectsMeetSelects) {
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    run(
        [&] {
          const Channel<int> a;
          const Channel<int> b(1);
          const Channel<int> done;
          for (int s = 0; s < 2; ++s) {
            go([=] {
              for (int i = 0; i < 2; ++i) {
                if (s == 0) {
                  select(on_send(a, 1, [] {}), on_send(b, 1, [] {}));
                } else {
                  select(on_send(b, 1, [] {}), on_send(a, 1, [] {}));
                }
              }
            });
            go([=] {
              int own = 0;
              for (int i = 0; i < 2; ++i) {
                if (s == 0) {
                  select(on_receive(a, [&](std::optional<int> v) { own += *v; }),
                         on_receive(b, [&](std::optional<int> v) { own += *v; }));
                } else {
                  select(on_receive(b, [&](std::optional<int> v) { own += *v; }),
                         on_receive(a, [&](std::optional<int> v) { own += *v; }));
                }
              }
              done.send(own);
            });
          }
          for (int r = 0; r < 2; ++r) sum += *done.receive();
        },
        {.procs = 3});
    EXPECT_EQ(sum, 4);
  });
}

TEST(ChannelSimulation, CloseMeetsASelect) {
  sim::explore({.seeds = kSeeds}, [] {
    int ends = 0;
    int values = 0;
    run(
        [&] {
          const Channel<int> a;
          const Channel<int> b;
          const Channel<std::array<int, 2>> done;
          go([=] {
            std::array<int, 2> seen{};
            for (bool open = true; open;) {
              const auto look = [&](std::optional<int> v) {
                v ? ++seen[0] : ++seen[1];
                open = v.has_value();
              };
              select(on_receive(a, look), on_receive(b, look));
            }
            done.send(seen);
          });
          go([=] { a.close(); });
          if (b.try_send(1)) ++values;
          const auto seen = *done.receive();
          EXPECT_EQ(seen[0], values);
          ends = seen[1];
        },
        {.procs = 3});
    EXPECT_EQ(ends, 1);
  });
}

// A thread outside sends and receives while the runtime's threads fall asleep.
TEST(ChannelSimulation, AThreadOutsideWakesTheRuntime) {
  sim::explore({.seeds = kSeeds}, [] {
    int got = 0;
    int echoed = 0;
    const Channel<int> in;
    const Channel<int> out;
    const ForeignThread guard;
    sim::Threads threads;
    threads.start("outside", [&] {
      in.send(3);
      echoed = *out.receive();
    });
    run(
        [&] {
          got = *in.receive();
          out.send(got + 1);
        },
        {.procs = 2});
    threads.join();
    EXPECT_EQ(got, 3);
    EXPECT_EQ(echoed, 4);
  });
}

}  // namespace goro::testing

#endif
