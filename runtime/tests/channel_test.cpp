// Channels: order, close, nil, every kind of element, and waiting on stacks that move.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "goro/goro.h"
#include "testing/channels.h"
#include "testing/child.h"
#include "testing/story.h"
#include "testing/whole_slices.h"
#include "tests/scale.h"

namespace {

using goro::Channel;
using goro::ReceiveChannel;
using goro::SendChannel;
using goro::testing::failure_of;
using goro::testing::Fragile;
using goro::testing::kScale;
using goro::testing::order_of_waking;
using goro::testing::panic_of;
using goro::testing::start;
using goro::testing::WholeSlices;

// What the directions let through, known when the program is compiled.
template <typename C>
concept Sends = requires(const C& c) {
  c.send(1);
  c.close();
};
template <typename C>
concept Receives = requires(const C& c) {
  c.receive();
  c.begin();
};
static_assert(Sends<Channel<int>> && Receives<Channel<int>>);
static_assert(Sends<SendChannel<int>> && !Receives<SendChannel<int>>);
static_assert(!Sends<ReceiveChannel<int>> && Receives<ReceiveChannel<int>>);
static_assert(std::is_convertible_v<Channel<int>, SendChannel<int>>);
static_assert(std::is_convertible_v<Channel<int>, ReceiveChannel<int>>);
static_assert(!std::is_convertible_v<SendChannel<int>, Channel<int>>);
static_assert(!std::is_convertible_v<ReceiveChannel<int>, Channel<int>>);
static_assert(!std::is_convertible_v<SendChannel<int>, ReceiveChannel<int>>);
static_assert(!std::is_convertible_v<Channel<int>, Channel<long>>);

TEST(Channel, CloseWakesReceiversAsInGo) {
  const WholeSlices whole_slices;
  const Channel<int> ch;
  const auto order = order_of_waking(
      6, [&](int) { ch.receive(); }, [&] { ch.close(); });
  EXPECT_EQ(order, (std::vector<int>{1, 6, 5, 4, 3, 2}))
      << "the last one that is woken runs first, the others in the order of waking";
}

TEST(Channel, CloseWakesSendersWhoThrow) {
  const WholeSlices whole_slices;
  const Channel<int> ch;
  std::vector<std::string> texts;
  const auto order = order_of_waking(
      6, [&](int i) { texts.push_back(panic_of([&] { ch.send(i); })); }, [&] { ch.close(); });
  EXPECT_EQ(order, (std::vector<int>{1, 6, 5, 4, 3, 2}));
  EXPECT_EQ(texts, std::vector<std::string>(6, "send on closed channel"));
}

TEST(Channel, SendersAreServedFirstComeFirstServed) {
  const WholeSlices whole_slices;
  for (const int capacity : {0, 3}) {
    std::vector<int> received;
    goro::run(
        [&] {
          const Channel<int> ch(capacity);
          for (int i = 1; i <= 6; ++i) {
            start([ch, i] { ch.send(i); });
          }
          for (int i = 0; i < 6; ++i) received.push_back(*ch.receive());
        },
        {.procs = 1});
    EXPECT_EQ(received, (std::vector<int>{1, 2, 3, 4, 5, 6})) << "capacity " << capacity;
  }
}

TEST(Channel, ReceiversAreServedFirstComeFirstServed) {
  const WholeSlices whole_slices;
  std::vector<std::pair<int, int>> got;
  goro::run(
      [&] {
        const Channel<int> ch;
        const Channel<std::pair<int, int>> out(6);
        for (int i = 1; i <= 6; ++i) {
          start([ch, out, i] { out.send({i, *ch.receive()}); });
        }
        for (int i = 1; i <= 6; ++i) ch.send(i * 10);
        for (int i = 0; i < 6; ++i) got.push_back(*out.receive());
      },
      {.procs = 1});
  for (const auto& [who, what] : got) EXPECT_EQ(what, who * 10) << "receiver " << who;
}

// After Go's fifo test: a chain of goroutines in which each starts when the one before is done.
TEST(Channel, AChainPassesInOrder) {
  constexpr int kLinks = 100;
  std::vector<int> seen;
  goro::run([&] {
    const Channel<int> out(kLinks);
    Channel<int> in;
    const Channel<int> start = in;
    for (int i = 0; i < kLinks; ++i) {
      const Channel<int> next;
      goro::go([in, next, out, i] {
        in.receive();
        out.send(i);
        next.send(0);
      });
      in = next;
    }
    start.send(0);
    in.receive();
    while (out.size() != 0) seen.push_back(*out.receive());
  });
  std::vector<int> expected(kLinks);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
}

TEST(Channel, BufferedValuesOutliveClose) {
  goro::run([] {
    const Channel<std::string> ch(3);
    ch.send("one");
    ch.send("two");
    ch.close();
    EXPECT_EQ(ch.size(), 2U);
    EXPECT_EQ(ch.receive(), "one");
    EXPECT_EQ(ch.receive(), "two");
    EXPECT_EQ(ch.receive(), std::nullopt);
    EXPECT_EQ(ch.receive(), std::nullopt);
    std::optional<std::string> out = "old";
    EXPECT_TRUE(ch.try_receive(out)) << "a closed channel is always ready";
    EXPECT_EQ(out, std::nullopt);
  });
}

TEST(Channel, MisuseThrowsGosWords) {
  goro::run([] {
    const Channel<int> ch(1);
    ch.close();
    EXPECT_EQ(panic_of([&] { ch.send(1); }), "send on closed channel");
    EXPECT_EQ(panic_of([&] { ch.try_send(1); }), "send on closed channel");
    EXPECT_EQ(panic_of([&] { ch.close(); }), "close of closed channel");
    EXPECT_EQ(panic_of([&] { Channel<int>(nullptr).close(); }), "close of nil channel");
    EXPECT_EQ(panic_of([&] { Channel<int>(-1); }), "makechan: size out of range");
    EXPECT_EQ(panic_of([&] { Channel<int>(std::int8_t{-1}); }), "makechan: size out of range");
    EXPECT_EQ(panic_of([&] { Channel<int>(~std::uint64_t{0}); }), "makechan: size out of range");
    EXPECT_EQ(panic_of([&] { Channel<std::array<char, 4096>>(std::int64_t{1} << 36); }),
              "makechan: size out of range");
    EXPECT_EQ(Channel<int>(0).capacity(), 0U);
    EXPECT_EQ(Channel<char>(std::uint8_t{7}).capacity(), 7U);
  });
}

TEST(Channel, NilIsNeverReady) {
  goro::run([] {
    const Channel<int> nil(nullptr);
    int value = 1;
    std::optional<int> out = 5;
    EXPECT_FALSE(nil.try_send(value));
    EXPECT_FALSE(nil.try_receive(out));
    EXPECT_EQ(out, 5);
    EXPECT_EQ(nil.size(), 0U);
    EXPECT_EQ(nil.capacity(), 0U);
    EXPECT_FALSE(nil);
    EXPECT_TRUE(Channel<int>());
    EXPECT_EQ(nil, Channel<int>(nullptr));
    EXPECT_FALSE(Channel<int>() == Channel<int>());
  });
}

// After Go's nonblock test: each operation with and without a partner.
TEST(Channel, TryOperations) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<int> sync;
        const Channel<int> buffered(1);
        std::optional<int> out;
        EXPECT_FALSE(sync.try_send(1)) << "nobody waits";
        EXPECT_FALSE(sync.try_receive(out));
        EXPECT_TRUE(buffered.try_send(2));
        EXPECT_FALSE(buffered.try_send(3)) << "it is full";
        EXPECT_TRUE(buffered.try_receive(out));
        EXPECT_EQ(out, 2);
        EXPECT_FALSE(buffered.try_receive(out)) << "it is empty";
        EXPECT_EQ(out, 2) << "what did not happen changes nothing";

        const Channel<int> got(1);
        start([sync, got] { got.send(*sync.receive()); });
        EXPECT_TRUE(sync.try_send(4)) << "a receiver waits";
        EXPECT_EQ(got.receive(), 4);
        start([sync] { sync.send(5); });
        EXPECT_TRUE(sync.try_receive(out)) << "a sender waits";
        EXPECT_EQ(out, 5);
      },
      {.procs = 1});
}

TEST(Channel, AValueThatIsNotSentStays) {
  goro::run([] {
    const Channel<std::unique_ptr<int>> ch(1);
    auto first = std::make_unique<int>(1);
    auto second = std::make_unique<int>(2);
    EXPECT_TRUE(ch.try_send(first));
    EXPECT_EQ(first, nullptr);
    EXPECT_FALSE(ch.try_send(second));
    ASSERT_NE(second, nullptr) << "try_send took a value that it did not send";
    EXPECT_EQ(*second, 2);
    EXPECT_EQ(**ch.receive(), 1);
  });
}

TEST(Channel, RangeForReceivesUntilClosed) {
  goro::run([] {
    const Channel<std::unique_ptr<int>> ch(2);
    goro::go([ch] {
      for (int i = 0; i < 10; ++i) ch.send(std::make_unique<int>(i));
      ch.close();
    });
    int expected = 0;
    for (std::unique_ptr<int> p : ch) EXPECT_EQ(*p, expected++);
    EXPECT_EQ(expected, 10);

    const Channel<int> empty;
    empty.close();
    for (const int v : ReceiveChannel<int>(empty)) ADD_FAILURE() << v << " out of an empty channel";
  });
}

// -- elements --

struct alignas(64) Aligned {
  int value = 0;
  Aligned* self = this;
  explicit Aligned(int v) : value(v) {}
  Aligned(Aligned&& other) noexcept : value(other.value) {}
  bool in_place() const { return self == this && reinterpret_cast<std::uintptr_t>(this) % 64 == 0; }
};

TEST(Channel, OverAlignedElementsKnowWhereTheyAre) {
  for (const int capacity : {0, 1, 5}) {
    goro::run([&] {
      const Channel<Aligned> ch(capacity);
      goro::go([ch] {
        for (int i = 0; i < 20; ++i) ch.send(Aligned(i));
        ch.close();
      });
      int expected = 0;
      while (auto v = ch.receive()) {
        EXPECT_EQ(v->value, expected++);
        EXPECT_TRUE(v->in_place()) << "an element was copied by its bytes, or is not aligned";
      }
      EXPECT_EQ(expected, 20);
    });
  }
}

template <std::size_t kSize>
void bytes_arrive() {
  using Bytes = std::array<unsigned char, kSize>;
  goro::run([] {
    for (const int capacity : {0, 2}) {
      const Channel<Bytes> ch(capacity);
      goro::go({.stack = goro::fixed_stack(1 << 18)}, [ch] {
        for (unsigned i = 0; i < 5; ++i) {
          Bytes bytes;
          for (std::size_t at = 0; at < kSize; ++at)
            bytes[at] = static_cast<unsigned char>(at * 7 + i);
          ch.send(bytes);
        }
      });
      for (unsigned i = 0; i < 5; ++i) {
        const auto bytes = ch.receive();
        for (std::size_t at = 0; at < kSize; ++at) {
          ASSERT_EQ((*bytes)[at], static_cast<unsigned char>(at * 7 + i)) << kSize << " bytes";
        }
      }
    }
  });
}

TEST(Channel, ElementsOfAnySize) {
  bytes_arrive<1>();
  bytes_arrive<3>();
  bytes_arrive<4>();
  bytes_arrive<8>();
  bytes_arrive<9>();
  bytes_arrive<16>();
  bytes_arrive<1000>();
  bytes_arrive<20000>();
}

TEST(Channel, AMoveThatThrowsIntoTheBuffer) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<Fragile> ch(2);
        Fragile value(7);
        EXPECT_EQ(failure_of(1, [&] { ch.try_send(value); }), "a move failed");
        EXPECT_FALSE(value.moved_from);
        EXPECT_EQ(ch.size(), 0U);
        EXPECT_TRUE(ch.try_send(value)) << "the channel is locked, or broken";
        EXPECT_EQ(ch.receive()->value, 7);
      },
      {.procs = 1});
  EXPECT_EQ(Fragile::alive, 0);
}

TEST(Channel, AMoveThatThrowsOutOfTheBuffer) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<Fragile> ch(2);
        ch.send(Fragile(1));
        ch.send(Fragile(2));
        EXPECT_EQ(failure_of(1, [&] { ch.receive(); }), "a move failed");
        EXPECT_EQ(ch.size(), 2U) << "the value left the channel, and nobody has it";
        EXPECT_EQ(ch.receive()->value, 1);
        EXPECT_EQ(ch.receive()->value, 2);
      },
      {.procs = 1});
  EXPECT_EQ(Fragile::alive, 0);
}

TEST(Channel, AMoveThatThrowsToAReceiverThatWaits) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<Fragile> ch;
        const Channel<int> got(1);
        start([ch, got] { got.send(ch.receive()->value); });
        Fragile value(7);
        EXPECT_EQ(failure_of(1, [&] { ch.try_send(value); }), "a move failed");
        EXPECT_FALSE(value.moved_from);
        // More than once: now and then the global queue, where we are, comes first.
        for (int i = 0; i < 3; ++i) goro::yield();
        EXPECT_EQ(got.size(), 0U);
        for (int i = 0; i < 5; ++i) goro::yield();  // it was woken to look again, and waits again
        EXPECT_TRUE(ch.try_send(value)) << "the receiver waits no more";
        EXPECT_EQ(got.receive(), 7);
      },
      {.procs = 1});
  EXPECT_EQ(Fragile::alive, 0);
}

TEST(Channel, AMoveThatThrowsFromASenderThatWaits) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<Fragile> ch;
        start([ch] { ch.send(Fragile(7)); });
        EXPECT_EQ(failure_of(1, [&] { ch.receive(); }), "a move failed");
        EXPECT_EQ(ch.receive()->value, 7) << "the sender waits no more";
      },
      {.procs = 1});
  EXPECT_EQ(Fragile::alive, 0);
}

TEST(Channel, AMoveThatThrowsForASenderAtAFullBuffer) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        const Channel<Fragile> ch(2);
        const Channel<std::string> told(1);
        ch.send(Fragile(1));
        ch.send(Fragile(2));
        start([ch, told] {
          Fragile value(3);
          std::string text = "nothing was thrown";
          try {
            ch.send(std::move(value));
          } catch (const std::runtime_error& error) {
            text = error.what();
          }
          told.send(text);
        });
        GORO_STEP("the value came out, and the move of the sender's into the buffer threw");
        EXPECT_EQ(failure_of(2, [&] { EXPECT_EQ(ch.receive()->value, 1); }), "nothing was thrown")
            << "the receiver has its value: the exception is not for it";
        EXPECT_EQ(ch.size(), 1U);
        EXPECT_EQ(told.receive(), "nothing was thrown") << "the sender tried again, and could";
        EXPECT_EQ(ch.receive()->value, 2);
        EXPECT_EQ(ch.receive()->value, 3);
      },
      {.procs = 1});
  EXPECT_EQ(Fragile::alive, 0);
}

TEST(Channel, TheLastHandleDestroysWhatIsLeft) {
  goro::run([] {
    Channel<Fragile> ch(4);
    for (int i = 0; i < 6; ++i) {
      ch.send(Fragile(i));
      if (i >= 2) ch.receive();
    }
    const Channel<Fragile> other = ch;  // NOLINT: a second handle
    ch = Channel<Fragile>(nullptr);
    EXPECT_EQ(Fragile::alive, 2);
    EXPECT_EQ(other.size(), 2U);
  });
  EXPECT_EQ(Fragile::alive, 0);
}

// -- stacks --

int deep(int depth, const Channel<int>& ch) {
  std::array<volatile char, 200> room;
  room[0] = static_cast<char>(depth);
  const int below = depth == 0 ? *ch.receive() : deep(depth - 1, ch);
  return below + room[0] - static_cast<char>(depth);
}

// A goroutine whose stack was large once parks again and again, so the stack shrinks while a
// receiver's place, or a value to send, is on it.
TEST(Channel, AStackShrinksWhileItsGoroutineWaits) {
  goro::run(
      [] {
        const Channel<int> in;
        const Channel<std::string> out;
        goro::go([in, out] {
          for (int round = 0; round < 20; ++round) {
            if (deep(100, in) != round) return;
            for (int i = 0; i < 300; ++i) {
              const int v = *in.receive();
              std::string text(static_cast<std::size_t>(v % 40), 'x');
              out.send(text + std::to_string(v));
            }
          }
        });
        for (int round = 0; round < 20; ++round) {
          in.send(round);
          for (int i = 0; i < 300; ++i) {
            in.send(i);
            ASSERT_EQ(out.receive(),
                      std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i));
          }
        }
      },
      {.procs = 2});
}

struct Growing {
  int value;
  static int use_stack(int n) {
    std::array<volatile char, 100> room;
    room[0] = static_cast<char>(n);
    return n == 0 ? room[0] : use_stack(n - 1) + room[0] - static_cast<char>(n);
  }
  explicit Growing(int v) : value(v) {}
  Growing(Growing&& other) noexcept : value(other.value + use_stack(60)) {}
};

TEST(Channel, AMoveMayGrowTheStackAndAllocate) {
  goro::run(
      [] {
        for (int round = 0; round < 50; ++round) {
          const Channel<Growing> ch(round % 3);
          const Channel<std::vector<int>> vectors(round % 2);
          goro::go([ch, vectors] {
            for (int i = 0; i < 10; ++i) {
              ch.send(Growing(i));
              vectors.send(std::vector<int>(100, i));
            }
          });
          const Channel<bool> done;
          goro::go([ch, vectors, done] {
            for (int i = 0; i < 10; ++i) {
              EXPECT_EQ(ch.receive()->value, i);
              EXPECT_EQ(vectors.receive()->at(99), i);
            }
            done.send(true);
          });
          done.receive();
        }
      },
      {.procs = 2});
}

// -- many --

TEST(Channel, EveryValueArrivesOnce) {
  constexpr int kSenders = 50;
  constexpr int kEach = 200;
  for (const int capacity : {0, 1, 10}) {
    std::vector<int> counts(std::size_t{kSenders} * kEach);
    goro::run(
        [&] {
          const Channel<int> ch(capacity);
          const Channel<std::vector<int>*> done;
          for (int s = 0; s < kSenders; ++s) {
            goro::go([ch, s] {
              for (int i = 0; i < kEach; ++i) ch.send(s * kEach + i);
            });
          }
          for (int r = 0; r < kSenders; ++r) {
            goro::go([ch, done] {
              auto* got = new std::vector<int>;
              for (int i = 0; i < kEach; ++i) got->push_back(*ch.receive());
              done.send(got);
            });
          }
          for (int r = 0; r < kSenders; ++r) {
            std::vector<int>* got = *done.receive();
            for (const int v : *got) ++counts[static_cast<std::size_t>(v)];
            delete got;
          }
        },
        {.procs = 4});
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 1), kSenders * kEach)
        << "capacity " << capacity;
  }
}

TEST(Channel, ThousandsWait) {
  constexpr int kMany = 1250 * kScale;
  goro::run(
      [] {
        const Channel<int> gate;
        const Channel<int> done(kMany);
        for (int i = 0; i < kMany; ++i) {
          goro::go([gate, done, i] {
            gate.receive();
            done.send(i);
          });
        }
        goro::yield();
        gate.close();
        std::int64_t sum = 0;
        for (int i = 0; i < kMany; ++i) sum += *done.receive();
        EXPECT_EQ(sum, std::int64_t{kMany} * (kMany - 1) / 2);
      },
      {.procs = 4});
}

// After Go's sieve.
TEST(Channel, ASieveFindsPrimes) {
  for (const int procs : {1, 4}) {
    std::vector<int> primes;
    goro::run(
        [&] {
          Channel<int> from;
          goro::go([out = SendChannel<int>(from)] {
            for (int i = 2;; ++i) out.send(i);
          });
          for (int n = 0; n < 30; ++n) {
            const int prime = *from.receive();
            primes.push_back(prime);
            const Channel<int> next;
            goro::go([in = ReceiveChannel<int>(from), out = SendChannel<int>(next), prime] {
              for (const int i : in) {
                if (i % prime != 0) out.send(i);
              }
            });
            from = next;
          }
        },
        {.procs = procs});
    EXPECT_EQ(primes.back(), 113) << procs << " Ps";
  }
}

TEST(Channel, AChannelOutlivesARun) {
  const WholeSlices whole_slices;
  const Channel<int> ch;
  for (int round = 0; round < 3; ++round) {
    goro::run(
        [&] {
          GORO_STEP("somebody waits at a channel when the run ends");
          start([ch] { ch.receive(); });
          goro::yield();
        },
        {.procs = 1});
    goro::run(
        [&] {
          EXPECT_FALSE(ch.try_send(1)) << "somebody of the last run got the value";
          goro::go([ch] { ch.send(2); });
          EXPECT_EQ(ch.receive(), 2);
        },
        {.procs = 2});
  }
}

// -- dumps --

TEST(Channel, ADeadlockNamesWhatEachWaitsFor) {
  const auto end = goro::testing::in_child([] {
    goro::run(
        [] {
          const Channel<int> ch;
          goro::go([] { Channel<int>(nullptr).receive(); });
          goro::go([] { Channel<int>(nullptr).send(1); });
          goro::go([] { Channel<int>().send(1); });
          goro::go([] { goro::select(); });
          goro::go([a = Channel<int>(), b = Channel<int>()] {
            goro::select(goro::on_receive(a, [](std::optional<int>) {}),
                         goro::on_send(b, 1, [] {}));
          });
          ch.receive();
        },
        {.procs = 2});
  });
  EXPECT_EQ(end.status, 2);
  for (const char* text :
       {"fatal error: all goroutines are asleep - deadlock!",
        "goroutine 1 [chan receive]:", "[chan receive (nil chan)]:", "[chan send (nil chan)]:",
        "[chan send]:", "[select (no cases)]:", "[select]:"}) {
    EXPECT_NE(end.err.find(text), std::string::npos) << "\"" << text << "\" is not in\n" << end.err;
  }
}

TEST(Channel, AMoveThatWaitsIsFatal) {
#if !defined(NDEBUG)
  struct Waits {
    Waits() = default;
    Waits(Waits&&) noexcept { Channel<int>().receive(); }
  };
  const auto end = goro::testing::in_child([] {
    goro::run([] {
      const Channel<Waits> ch(1);
      ch.send(Waits());
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_NE(end.err.find("holding locks"), std::string::npos) << end.err;
#endif
}

}  // namespace
