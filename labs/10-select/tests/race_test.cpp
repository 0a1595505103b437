// Memory order, watched by ThreadSanitizer. Between the two sides of each test there is no other
// synchronisation than the channels' own.
#include <array>

#include "support.h"

namespace goro::testing {
namespace {

struct Letter {
  std::uint64_t text = 0;
};

TEST(Race, TheReceiverSeesWhatTheSenderWrote) {
  constexpr int kLetters = 300;
  for (const int capacity : {0, 2}) {
    GORO_STEP(
        "four Ps: two goroutines write letters and select their addresses into a or b, two select "
        "them out and read; room for ",
        capacity);
    std::uint64_t sum = 0;
    goro::run(
        [&] {
          const Channel<Letter*> a(capacity);
          const Channel<Letter*> b(capacity);
          const Channel<std::uint64_t> done;
          for (int s = 0; s < 2; ++s) {
            go([a, b] {
              for (std::uint64_t i = 1; i <= kLetters; ++i) {
                auto* letter = new Letter;
                letter->text = i;
                select(on_send(a, letter, [] {}), on_send(b, letter, [] {}));
              }
            });
            go([a, b, done] {
              std::uint64_t own = 0;
              const auto look = [&](std::optional<Letter*> v) {
                const std::unique_ptr<Letter> letter(v.value_or(nullptr));
                if (letter != nullptr) own += letter->text;
              };
              for (int i = 0; i < kLetters; ++i) select(on_receive(a, look), on_receive(b, look));
              done.send(own);
            });
          }
          for (int r = 0; r < 2; ++r) sum += done.receive().value_or(0);
        },
        {.procs = 4});
    EXPECT_EQ(sum, std::uint64_t{kLetters} * (kLetters + 1))
        << "each letter must arrive once, with what was written into it";
  }
}

TEST(Race, LeavesItsQueuesUnderTheirLocks) {
  constexpr int kTurns = 3000;
  int sum = 0;
  goro::run(
      [&] {
        const std::array<Channel<int>, 3> c;
        const Channel<int> done;
        GORO_STEP(
            "four Ps: three goroutines select from three channels, one sends to each of them");
        for (int r = 0; r < 3; ++r) {
          go([c, done] {
            int own = 0;
            const auto look = [&](std::optional<int> v) { own += v.value_or(0); };
            for (int i = 0; i < kTurns; ++i) {
              select(on_receive(c[0], look), on_receive(c[1], look), on_receive(c[2], look));
            }
            done.send(own);
          });
        }
        for (int s = 0; s < 3; ++s) {
          go([ch = c[static_cast<std::size_t>(s)]] {
            for (int i = 0; i < kTurns; ++i) ch.send(1);
          });
        }
        for (int r = 0; r < 3; ++r) sum += done.receive().value_or(0);
      },
      {.procs = 4});
  EXPECT_EQ(sum, 3 * kTurns) << "each value must arrive once";
}

// Writes to much of the stack below: what a select that has returned left there is written over.
[[gnu::noinline]] int write_over_old_frames(int value) {
  std::array<volatile int, 300> room;
  for (volatile int& word : room) word = value;
  return room[0];
}

constexpr int kTakes = 6000;

TEST(Race, WhoeverReleasesTheLastLockLetsTheFrameBe) {
  int wrong = 0;
  goro::run(
      [&] {
        const Channel<int> a;
        const Channel<int> b;
        const Channel<int> back;
        GORO_STEP("four Ps: a goroutine selects ", kTakes,
                  " times, and writes over its old frames in between; another P wakes it at once");
        go([a, b, back] {
          int own = 0;
          const auto look = [&](std::optional<int> v) { own += v.value_or(0); };
          for (int i = 0; i < kTakes; ++i) {
            select(on_receive(a, look), on_receive(b, look));
            own += write_over_old_frames(i) - i;
          }
          back.send(own);
        });
        for (int i = 0, tries = 0; i < kTakes;) {
          // As soon as the lock can be had: the select is still about to park, most often. Now and
          // then it may have no other P to run on.
          if ((i % 2 == 0 ? a : b).try_send(1)) {
            ++i;
          } else if (++tries % 200 == 0) {
            yield();
          }
        }
        if (back.receive() != kTakes) ++wrong;
      },
      {.procs = 4});
  EXPECT_EQ(wrong, 0) << "each value must arrive once";
}

}  // namespace
}  // namespace goro::testing
