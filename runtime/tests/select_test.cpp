// Select: one case, chosen fairly, nobody lost.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "goro/goro.h"
#include "testing/channels.h"
#include "testing/story.h"
#include "testing/whole_slices.h"

namespace {

using goro::Channel;
using goro::on_receive;
using goro::on_send;
using goro::otherwise;
using goro::select;
using goro::SelectCase;
using goro::testing::Fragile;
using goro::testing::start;
using goro::testing::WholeSlices;

// What a channel handle lets through, known when the program is compiled.
template <typename C>
concept MayReceive = requires(C& c) {
  on_receive(c, [](std::optional<int>) {});
};
template <typename C>
concept MaySend = requires(C& c) {
  on_send(c, 1, [] {});
};
static_assert(MayReceive<const Channel<int>> && MaySend<const Channel<int>>);
static_assert(MayReceive<goro::ReceiveChannel<int>> && !MaySend<goro::ReceiveChannel<int>>);
static_assert(!MayReceive<goro::SendChannel<int>> && MaySend<goro::SendChannel<int>>);

TEST(Select, TakesTheCaseThatIsReady) {
  goro::run([] {
    const Channel<int> a(1);
    const Channel<std::string> b(1);
    std::string ran;
    const auto once = [&] {
      return select(on_receive(a, [&](std::optional<int> v) { ran = "a " + std::to_string(*v); }),
                    on_receive(b, [&](std::optional<std::string> v) { ran = "b " + *v; }),
                    otherwise([&] { ran = "none"; }));
    };
    EXPECT_EQ(once(), 2U);
    EXPECT_EQ(ran, "none");
    b.send("x");
    EXPECT_EQ(once(), 1U);
    EXPECT_EQ(ran, "b x");
    a.send(7);
    EXPECT_EQ(once(), 0U);
    EXPECT_EQ(ran, "a 7");
    EXPECT_EQ(select(on_send(a, 5, [&] { ran = "sent"; }),
                     on_receive(b, [&](const std::optional<std::string>&) { ran = "b"; })),
              0U);
    EXPECT_EQ(ran, "sent");
    EXPECT_EQ(a.receive(), 5);
    EXPECT_EQ(select(otherwise([&] { ran = "alone"; })), 0U);
    EXPECT_EQ(ran, "alone");
  });
}

TEST(Select, OneCaseIsAnOperation) {
  goro::run([] {
    const Channel<int> a(1);
    int got = 0;
    EXPECT_EQ(select(on_send(a, 3, [] {})), 0U);
    EXPECT_EQ(select(otherwise([&] { got = -1; }), on_send(a, 4, [] {})), 0U);
    EXPECT_EQ(got, -1) << "the buffer was full";
    EXPECT_EQ(select(otherwise([] {}), on_receive(a, [&](std::optional<int> v) { got = *v; })), 1U);
    EXPECT_EQ(got, 3);
    EXPECT_EQ(select(on_receive(a, [&](std::optional<int> v) { got = *v; }), otherwise([] {})), 1U);
  });
}

TEST(Select, ClosedAndNilChannels) {
  goro::run([] {
    const Channel<int> nil(nullptr);
    const Channel<int> closed(1);
    closed.send(1);
    closed.close();
    std::optional<int> got = 9;
    const auto receive = [&] {
      return select(on_receive(nil, [](std::optional<int>) { FAIL(); }),
                    on_receive(closed, [&](std::optional<int> v) { got = v; }),
                    on_send(nil, 1, [] { FAIL(); }));
    };
    EXPECT_EQ(receive(), 1U);
    EXPECT_EQ(got, 1) << "what is buffered comes before the end";
    EXPECT_EQ(receive(), 1U);
    EXPECT_EQ(got, std::nullopt);
    EXPECT_EQ(select(on_receive(nil, [](std::optional<int>) {}), on_send(nil, 1, [] {}),
                     otherwise([] {})),
              2U);
    const Channel<int> never;
    try {
      select(on_send(closed, 1, [] { FAIL(); }), on_receive(never, [](std::optional<int>) {}));
      ADD_FAILURE() << "a send on a closed channel threw nothing";
    } catch (const goro::Panic& panic) {
      EXPECT_STREQ(panic.what(), "send on closed channel");
    }
    EXPECT_FALSE(closed.try_receive(got) && got) << "and the channel is unlocked";
  });
}

TEST(Select, CloseWakesIt) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<int> a;
        const Channel<int> b;
        const Channel<std::string> told(2);
        start([=] {
          select(on_receive(a, [&](std::optional<int>) { told.send("a"); }),
                 on_receive(b, [&](std::optional<int> v) { told.send(v ? "value" : "closed"); }));
        });
        start([=] {
          try {
            select(on_receive(a, [&](std::optional<int>) { told.send("a"); }),
                   on_send(b, 1, [&] { told.send("sent"); }));
          } catch (const goro::Panic& panic) {
            told.send(panic.what());
          }
        });
        GORO_STEP("one select receives from a channel, another sends to it");
        std::multiset<std::string> both;
        while (both.size() < 2) both.insert(*told.receive());
        EXPECT_EQ(both, (std::multiset<std::string>{"sent", "value"})) << "the two met";
        GORO_STEP("another select sends to it, and it is closed");
        start([=] {
          try {
            select(on_receive(a, [&](std::optional<int>) { told.send("a"); }),
                   on_send(b, 1, [&] { told.send("sent"); }));
          } catch (const goro::Panic& panic) {
            told.send(panic.what());
          }
        });
        b.close();
        EXPECT_EQ(told.receive(), "send on closed channel");
      },
      {.procs = 1});
}

TEST(Select, IsFair) {
  constexpr int kRounds = 4000;
  std::array<int, 4> chosen{};
  goro::run([&] {
    std::array<Channel<int>, 4> channels;
    for (auto& c : channels) c = Channel<int>(1);
    for (auto& c : channels) c.send(0);
    for (int i = 0; i < kRounds; ++i) {
      const std::size_t index = select(on_receive(channels[0], [](std::optional<int>) {}),
                                       on_receive(channels[1], [](std::optional<int>) {}),
                                       on_receive(channels[2], [](std::optional<int>) {}),
                                       on_receive(channels[3], [](std::optional<int>) {}));
      ++chosen[index];
      channels[index].send(0);
    }
  });
  for (const int n : chosen) {
    EXPECT_GT(n, kRounds / 4 - 200) << "a case that is ready is starved";
    EXPECT_LT(n, kRounds / 4 + 200) << "a case is preferred";
  }
}

TEST(Select, TheSameChannelTwice) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<int> ch;
        const Channel<int> out(10);
        for (int i = 0; i < 100; ++i) {
          start([=] {
            select(on_receive(ch, [&](std::optional<int> v) { out.send(*v); }),
                   on_receive(ch, [&](std::optional<int> v) { out.send(*v); }));
          });
          EXPECT_TRUE(ch.try_send(i));
          EXPECT_FALSE(ch.try_send(i)) << "a sudog of the select stayed in the queue";
          EXPECT_EQ(out.receive(), i);
        }
      },
      {.procs = 1});
}

TEST(Select, SendsAndReceivesOnOneChannel) {
  std::atomic<int> sent{0};
  std::atomic<int> received{0};
  goro::run(
      [&] {
        const Channel<int> ch;
        const Channel<int> done;
        for (int g = 0; g < 4; ++g) {
          goro::go([=, s = &sent, r = &received] {
            for (int i = 0; i < 500; ++i) {
              select(on_send(ch, 1, [&] { ++*s; }),
                     on_receive(ch, [&](std::optional<int>) { ++*r; }));
            }
            done.send(1);
          });
        }
        // Somebody is left without a partner in the end, perhaps.
        for (int finished = 0; finished < 4;) {
          select(on_receive(done, [&](std::optional<int>) { ++finished; }),
                 on_send(ch, 1, [&] { ++sent; }));
        }
      },
      {.procs = 4});
  EXPECT_EQ(sent, received);
}

// After Go's doubleselect: a value must not be delivered by two cases.
TEST(Select, DoubleSelect) {
  constexpr int kValues = 20'000;
  goro::run(
      [] {
        const std::array<Channel<int>, 4> c;
        const Channel<int> out(3);
        const Channel<bool> done;
        goro::go([c, done] {
          for (int i = 0; i < kValues; ++i) {
            select(on_send(c[0], i, [] {}), on_send(c[1], i, [] {}), on_send(c[2], i, [] {}),
                   on_send(c[3], i, [] {}));
          }
          for (const auto& ch : c) ch.close();
          done.send(true);
        });
        const Channel<int> ended(4);
        for (const auto& ch : c) {
          goro::go([ch, out, ended] {
            for (const int v : ch) out.send(v);
            ended.send(1);
          });
        }
        goro::go([out, ended] {
          for (int i = 0; i < 4; ++i) ended.receive();
          out.close();
        });
        std::vector<int> seen(kValues);
        for (const int v : out) ++seen[static_cast<std::size_t>(v)];
        for (const int n : seen) ASSERT_EQ(n, 1) << "a value was delivered twice, or not at all";
        done.receive();
      },
      {.procs = 4});
}

TEST(Select, AListOfCases) {
  goro::run([] {
    std::vector<Channel<int>> channels;
    for (int i = 0; i < 20; ++i) channels.emplace_back(1);
    int got = -1;
    std::vector<SelectCase> cases;
    for (const auto& ch : channels) {
      cases.push_back(on_receive(ch, [&](std::optional<int> v) { got = v.value_or(-2); }));
    }
    for (int i = 0; i < 20; ++i) {
      channels[static_cast<std::size_t>(i)].send(i);
      EXPECT_EQ(select(cases), static_cast<std::size_t>(i));
      EXPECT_EQ(got, i);
    }
    cases.push_back(otherwise([&] { got = -3; }));
    EXPECT_EQ(select(cases), 20U);
    EXPECT_EQ(got, -3);
    cases.push_back(otherwise([&] {}));
    EXPECT_THROW(select(cases), goro::Panic);

    std::vector<SelectCase> one;
    one.push_back(on_send(channels[3], 33, [&] { got = 34; }));
    EXPECT_EQ(select(one), 0U);
    EXPECT_EQ(got, 34);
    EXPECT_EQ(channels[3].receive(), 33);
    std::array<SelectCase, 2> pair{otherwise([&] { got = 1; }),
                                   on_receive(Channel<int>(), [](std::optional<int>) {})};
    EXPECT_EQ(select(pair), 0U);
  });
}

TEST(Select, AListWaits) {
  goro::run(
      [] {
        std::vector<Channel<int>> channels(30);
        const Channel<int> out;
        goro::go([channels, out] {
          std::vector<SelectCase> cases;
          for (const auto& ch : channels) {
            cases.push_back(on_receive(ch, [out](std::optional<int> v) { out.send(*v); }));
          }
          for (int i = 0; i < 300; ++i) select(cases);
        });
        for (int i = 0; i < 300; ++i) {
          channels[static_cast<std::size_t>(i * 7 % 30)].send(i);
          EXPECT_EQ(out.receive(), i);
        }
      },
      {.procs = 2});
}

TEST(Select, MoveOnlyValues) {
  goro::run(
      [] {
        const Channel<std::unique_ptr<std::string>> a;
        const Channel<std::unique_ptr<std::string>> b(1);
        goro::go([a, b] {
          for (int i = 0; i < 100; ++i) {
            auto value = std::make_unique<std::string>(std::to_string(i));
            select(on_send(a, std::move(value), [] {}),
                   on_receive(b, [](auto) { ADD_FAILURE() << "b is empty"; }));
          }
        });
        for (int i = 0; i < 100; ++i) {
          select(on_receive(a,
                            [&](std::optional<std::unique_ptr<std::string>> v) {
                              EXPECT_EQ(**v, std::to_string(i));
                            }),
                 on_receive(b, [](auto) { ADD_FAILURE() << "b is empty"; }));
        }
      },
      {.procs = 2});
}

int deep(int depth) {
  std::array<volatile char, 200> room;
  room[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : deep(depth - 1) + room[0] - static_cast<char>(depth);
}

// The places of all cases are in the frame while the stack shrinks and grows.
TEST(Select, WaitsOnAStackThatMoves) {
  goro::run(
      [] {
        const Channel<int> a;
        const Channel<std::string> b;
        const Channel<std::string> out;
        goro::go([a, b, out] {
          for (int round = 0; round < 10; ++round) {
            deep(100);
            for (int i = 0; i < 300; ++i) {
              std::string text;
              select(on_receive(a, [&](std::optional<int> v) { text = std::to_string(*v); }),
                     on_receive(b, [&](std::optional<std::string> v) { text = "b" + v.value(); }));
              out.send(text);
            }
          }
        });
        for (int i = 0; i < 3000; ++i) {
          if (i % 3 == 0) {
            b.send(std::to_string(i));
            ASSERT_EQ(out.receive(), "b" + std::to_string(i));
          } else {
            a.send(i);
            ASSERT_EQ(out.receive(), std::to_string(i));
          }
        }
      },
      {.procs = 2});
}

TEST(Select, AMoveThatThrowsLeavesEverythingAsItWas) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<Fragile> a;
        const Channel<Fragile> b(1);
        const Channel<int> got(1);
        GORO_STEP("a select waits in two channels, and a send to one of them throws");
        start([=] {
          select(on_receive(a, [&](std::optional<Fragile> v) { got.send(v->value); }),
                 on_receive(b, [&](std::optional<Fragile> v) { got.send(v->value + 100); }));
        });
        Fragile value(7);
        Fragile::throw_in = 1;
        EXPECT_THROW(a.try_send(value), std::runtime_error);
        Fragile::throw_in = 0;
        // More than once: now and then the global queue, where we are, comes first.
        for (int i = 0; i < 3; ++i) goro::yield();
        EXPECT_EQ(got.size(), 0U) << "the select returned without a value";
        EXPECT_TRUE(b.try_send(value)) << "the select waits no more, or b is locked";
        EXPECT_EQ(got.receive(), 107);

        GORO_STEP("a select takes a value, and its move throws");
        b.send(Fragile(8));
        Fragile::throw_in = 1;
        EXPECT_THROW(select(on_receive(a, [](std::optional<Fragile>) {}),
                            on_receive(b, [](std::optional<Fragile>) {})),
                     std::runtime_error);
        Fragile::throw_in = 0;
        EXPECT_EQ(b.size(), 1U) << "the value left the channel";
        EXPECT_FALSE(a.try_send(value)) << "a is locked, or somebody waits";
        EXPECT_EQ(b.receive()->value, 8);
      },
      {.procs = 1});
}

// Selects over the same channels in different orders must not lock each other out.
TEST(Select, NoDeadlockAmongSelects) {
  goro::run(
      [] {
        std::array<Channel<int>, 5> c;
        const Channel<int> done;
        for (int g = 0; g < 8; ++g) {
          goro::go([c, done, g] {
            for (int i = 0; i < 400; ++i) {
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
        for (int finished = 0; finished < 8;) {
          select(on_receive(done, [&](std::optional<int>) { ++finished; }), on_send(c[0], 0, [] {}),
                 on_receive(c[0], [](std::optional<int>) {}), on_send(c[1], 0, [] {}),
                 on_receive(c[1], [](std::optional<int>) {}), on_send(c[2], 0, [] {}),
                 on_receive(c[2], [](std::optional<int>) {}), on_send(c[3], 0, [] {}),
                 on_receive(c[3], [](std::optional<int>) {}), on_send(c[4], 0, [] {}),
                 on_receive(c[4], [](std::optional<int>) {}));
        }
      },
      {.procs = 4});
}

TEST(Select, OutsideOfRunThrowsPanic) {
  const Channel<int> a(1);
  const Channel<int> b(1);
  EXPECT_THROW(select(on_send(a, 1, [] {}), on_send(b, 1, [] {})), goro::Panic);
}

}  // namespace
