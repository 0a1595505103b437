// Whole programs: all steps together, on one P and on several.
#include <algorithm>
#include <array>

#include "support.h"

namespace goro::testing {
namespace {

TEST(Program, ASieveFindsPrimes) {
  for (const int procs : {1, 4}) {
    GORO_STEP("a chain of 25 filters, each a goroutine behind a channel, on ", procs, " Ps");
    std::vector<int> primes;
    goro::run(
        [&] {
          Channel<int> from;
          go([out = SendChannel<int>(from)] {
            for (int i = 2;; ++i) out.send(i);
          });
          for (int n = 0; n < 25; ++n) {
            const int prime = from.receive().value_or(0);
            if (prime == 0) return;
            primes.push_back(prime);
            const Channel<int> next;
            go([in = ReceiveChannel<int>(from), out = SendChannel<int>(next), prime] {
              for (const int i : in) {
                if (i % prime != 0) out.send(i);
              }
            });
            from = next;
          }
        },
        {.procs = procs});
    ASSERT_EQ(primes.size(), 25U) << "there are 25 primes below 100";
    EXPECT_EQ(primes.back(), 97) << "a value was lost, came twice, or overtook another";
  }
}

TEST(Program, EveryValueArrivesOnceAndInOrder) {
  constexpr int kSenders = 8;
  constexpr int kEach = 300;
  for (const int capacity : {0, 1, 7}) {
    GORO_STEP("four Ps: ", kSenders, " goroutines send ", kEach, " values each, room for ",
              capacity, "; as many receive");
    std::vector<int> counts(kSenders * kEach);
    int out_of_order = 0;
    goro::run(
        [&] {
          const Channel<int> ch(capacity);
          const Channel<std::vector<int>*> done;
          for (int s = 0; s < kSenders; ++s) {
            go([ch, s] {
              for (int i = 0; i < kEach; ++i) ch.send(s * kEach + i);
            });
          }
          for (int r = 0; r < kSenders; ++r) {
            go([ch, done] {
              auto* got = new std::vector<int>;
              for (int i = 0; i < kEach; ++i) got->push_back(ch.receive().value_or(0));
              done.send(got);
            });
          }
          for (int r = 0; r < kSenders; ++r) {
            const std::unique_ptr<std::vector<int>> got(*done.receive());
            std::array<int, kSenders> last;
            last.fill(-1);
            for (const int value : *got) {
              ++counts[static_cast<std::size_t>(value)];
              int& newest = last[static_cast<std::size_t>(value / kEach)];
              if (value <= newest) ++out_of_order;
              newest = value;
            }
          }
        },
        {.procs = 4});
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 1), kSenders * kEach)
        << "a value was lost, or came twice";
    EXPECT_EQ(out_of_order, 0) << "of two values of one sender, the second overtook the first";
  }
}

TEST(Program, AThousandWaitAndOneCloses) {
  constexpr int kMany = 1000;
  GORO_STEP("four Ps: ", kMany, " goroutines wait at a gate; goroutine 1 closes it");
  int sum = 0;
  goro::run(
      [&] {
        const Channel<int> gate;
        const Channel<int> done(kMany);
        for (int i = 0; i < kMany; ++i) {
          go([gate, done, i] { done.send(gate.receive() ? 0 : i); });
        }
        yield();
        gate.close();
        for (int i = 0; i < kMany; ++i) sum += done.receive().value_or(0);
      },
      {.procs = 4});
  EXPECT_EQ(sum, kMany * (kMany - 1) / 2) << "each must be woken, or find the gate closed";
}

TEST(Program, ElementsThatOnlyMoveArriveWhole) {
  constexpr int kEach = 200;
  int wrong = 0;
  int received = 0;
  goro::run(
      [&] {
        const Channel<std::unique_ptr<int>> ch(3);
        GORO_STEP("two Ps: two goroutines send pointers that own what they point to");
        for (int s = 0; s < 2; ++s) {
          go([ch, s] {
            for (int i = 0; i < kEach; ++i) ch.send(std::make_unique<int>(s * kEach + i));
          });
        }
        std::vector<bool> seen(2 * kEach);
        for (int i = 0; i < 2 * kEach; ++i) {
          const std::unique_ptr<int> value = ch.receive().value_or(nullptr);
          if (value == nullptr || seen[static_cast<std::size_t>(*value)]) {
            ++wrong;
            continue;
          }
          seen[static_cast<std::size_t>(*value)] = true;
          ++received;
        }
      },
      {.procs = 2});
  EXPECT_EQ(received, 2 * kEach) << "each value must arrive, once";
  EXPECT_EQ(wrong, 0) << "a receive had no value, or one that was there before";
}

}  // namespace
}  // namespace goro::testing
