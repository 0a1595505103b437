// Whole programs: all steps together, on one P and on several.
#include <algorithm>
#include <array>

#include "support.h"

namespace goro::testing {
namespace {

TEST(Program, AStopIsHeardBesideABusyChannel) {
  int rounds = 0;
  bool stopped = false;
  at_one_p([&] {
    const Channel<int> busy;
    const Channel<int> stop(1);
    busy.close();
    stop.send(1);
    GORO_STEP("one P: a loop receives from a channel that is always ready, or stops");
    while (!stopped && rounds < 1000) {
      ++rounds;
      select(on_receive(busy, [](std::optional<int>) {}),
             on_receive(stop, [&](std::optional<int>) { stopped = true; }));
    }
  });
  EXPECT_TRUE(stopped) << "1000 selects never took the case that was ready all the time: the poll "
                          "order must be random";
}

TEST(Program, ProducersAreToldToStop) {
  constexpr int kProducers = 4;
  constexpr int kValues = 400;
  int stopped = 0;
  int wrong = 0;
  goro::run(
      [&] {
        const Channel<int> values;
        const Channel<int> stop;
        const Channel<int> done;
        GORO_STEP("four Ps: ", kProducers,
                  " goroutines send as much as they can, or stop when a channel is closed");
        for (int p = 0; p < kProducers; ++p) {
          go([values, stop, done, p] {
            bool more = true;
            while (more) {
              select(on_send(values, p, [] {}),
                     on_receive(stop, [&](std::optional<int>) { more = false; }));
            }
            done.send(p);
          });
        }
        for (int i = 0; i < kValues; ++i) {
          const int p = values.receive().value_or(-1);
          if (p < 0 || p >= kProducers) ++wrong;
        }
        stop.close();
        while (stopped < kProducers) {
          select(on_receive(done, [&](std::optional<int>) { ++stopped; }),
                 on_receive(values, [](std::optional<int>) {}));
        }
      },
      {.procs = 4});
  EXPECT_EQ(stopped, kProducers) << "each producer must hear of the close";
  EXPECT_EQ(wrong, 0) << "each value must be one that a producer sent";
}

constexpr int kManyValues = 3000;

TEST(Program, EveryValueArrivesOnce) {
  std::vector<int> times(kManyValues);
  goro::run(
      [&] {
        const std::array<Channel<int>, 4> ways{Channel<int>(), Channel<int>(1), Channel<int>(),
                                               Channel<int>(2)};
        const Channel<int> out(3);
        GORO_STEP("four Ps: one goroutine sends ", kManyValues,
                  " values, each by one of four ways; four forward them, each from one way");
        go([ways] {
          for (int i = 0; i < kManyValues; ++i) {
            select(on_send(ways[0], i, [] {}), on_send(ways[1], i, [] {}),
                   on_send(ways[2], i, [] {}), on_send(ways[3], i, [] {}));
          }
          for (const Channel<int>& way : ways) way.close();
        });
        for (const Channel<int>& way : ways) {
          go([way, out] {
            for (const int value : way) out.send(value);
            out.send(-1);
          });
        }
        for (int ends = 0; ends < 4;) {
          const int value = out.receive().value_or(-1);
          if (value < 0) {
            ++ends;
          } else {
            ++times[static_cast<std::size_t>(value)];
          }
        }
      },
      {.procs = 4});
  EXPECT_EQ(std::count(times.begin(), times.end(), 1), kManyValues)
      << "a value was delivered by two cases of one select, or by none";
}

constexpr int kSelects = 200;

TEST(Program, SelectsInAllDirectionsDoNotBlockEachOther) {
  constexpr int kGoroutines = 8;
  int finished = 0;
  goro::run(
      [&] {
        const std::array<Channel<int>, 5> c;
        const Channel<int> done;
        GORO_STEP("four Ps: ", kGoroutines,
                  " goroutines select over the same five channels, each "
                  "in an order of its own");
        for (int g = 0; g < kGoroutines; ++g) {
          go([c, done, g] {
            for (int i = 0; i < kSelects; ++i) {
              const auto at = [&](int k) { return static_cast<std::size_t>((g + i + k) % 5); };
              if (g % 2 == 0) {
                select(on_send(c[at(0)], i, [] {}), on_send(c[at(3)], i, [] {}),
                       on_send(c[at(1)], i, [] {}));
              } else {
                select(on_receive(c[at(4)], [](std::optional<int>) {}),
                       on_receive(c[at(2)], [](std::optional<int>) {}),
                       on_receive(c[at(0)], [](std::optional<int>) {}));
              }
            }
            done.send(1);
          });
        }
        // Goroutine 1 is a partner for whoever is left without one.
        while (finished < kGoroutines) {
          select(on_receive(done, [&](std::optional<int>) { ++finished; }), on_send(c[0], 0, [] {}),
                 on_receive(c[0], [](std::optional<int>) {}), on_send(c[1], 0, [] {}),
                 on_receive(c[1], [](std::optional<int>) {}), on_send(c[2], 0, [] {}),
                 on_receive(c[2], [](std::optional<int>) {}), on_send(c[3], 0, [] {}),
                 on_receive(c[3], [](std::optional<int>) {}), on_send(c[4], 0, [] {}),
                 on_receive(c[4], [](std::optional<int>) {}));
        }
      },
      {.procs = 4});
  EXPECT_EQ(finished, kGoroutines) << "each must come to its end";
}

constexpr int kSent = 300;

TEST(Program, AListOfThirtyChannels) {
  int wrong = 0;
  goro::run(
      [&] {
        const std::vector<Channel<int>> channels(30);
        const Channel<int> out;
        GORO_STEP("two Ps: a goroutine selects from a list of 30 channels, ", kSent, " times");
        go([channels, out] {
          std::vector<SelectCase> cases;
          for (const Channel<int>& ch : channels) {
            cases.push_back(
                on_receive(ch, [out](std::optional<int> v) { out.send(v.value_or(-1)); }));
          }
          for (int i = 0; i < kSent; ++i) select(cases);
        });
        for (int i = 0; i < kSent; ++i) {
          channels[static_cast<std::size_t>(i * 7 % 30)].send(i);
          if (out.receive() != i) ++wrong;
        }
      },
      {.procs = 2});
  EXPECT_EQ(wrong, 0) << "each value must come out, with the handler of its own case";
}

constexpr int kOwners = 200;

TEST(Program, ElementsThatOnlyMoveArriveWhole) {
  int wrong = 0;
  goro::run(
      [&] {
        const Channel<std::unique_ptr<int>> a;
        const Channel<std::unique_ptr<int>> b(2);
        GORO_STEP("two Ps: ", kOwners,
                  " pointers that own what they point to are selected into two channels and out");
        go([a, b] {
          for (int i = 0; i < kOwners; ++i) {
            select(on_send(a, std::make_unique<int>(i), [] {}),
                   on_send(b, std::make_unique<int>(i), [] {}));
          }
        });
        std::vector<bool> seen(kOwners);
        const auto look = [&](std::optional<std::unique_ptr<int>> v) {
          if (!v || *v == nullptr || seen[static_cast<std::size_t>(**v)]) {
            ++wrong;
          } else {
            seen[static_cast<std::size_t>(**v)] = true;
          }
        };
        for (int i = 0; i < kOwners; ++i) select(on_receive(a, look), on_receive(b, look));
      },
      {.procs = 2});
  EXPECT_EQ(wrong, 0) << "a receive had no value, or one that was there before";
}

}  // namespace
}  // namespace goro::testing
