// alloca and arrays of variable length, on every kind of stack.
#include "contracts/constants.h"

#if GORO_CHAINED_STACKS

#include <gtest/gtest.h>

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "contracts/getg.h"
#include "frame/settings.h"
#include "frame/stack_space.h"
#include "goro/goro.h"
#include "testing/child.h"

namespace stack_space_test {
namespace {

using goro::testing::ChildEnd;
using goro::testing::in_child;

constexpr std::size_t kLarge = 100'000;

[[gnu::always_inline]] inline void keep(volatile void* at) {
  asm volatile("" : : "r"(at) : "memory");
}

// A size that the compiler does not know.
[[gnu::noinline]] std::size_t size_of(std::size_t bytes) {
  asm volatile("" : "+r"(bytes));
  return bytes;
}

[[gnu::noinline]] int deep(int depth) {
  volatile int one = 1;
  return depth == 0 ? one : deep(depth - 1) + one;
}

// Fills what alloca gave, has the stack grow and perhaps move, and looks at all of it.
[[gnu::noinline]] bool fill_and_look(std::size_t bytes, int depth) {
  auto* room = static_cast<unsigned char*>(__builtin_alloca(size_of(bytes)));
  if (reinterpret_cast<std::uintptr_t>(room) % 16 != 0) return false;
  for (std::size_t i = 0; i < bytes; ++i) room[i] = static_cast<unsigned char>(i * 7);
  keep(room);
  if (deep(depth) != depth + 1) return false;
  for (std::size_t i = 0; i < bytes; ++i) {
    if (room[i] != static_cast<unsigned char>(i * 7)) return false;
  }
  return true;
}

// Two blocks of one function, and the second only sometimes.
[[gnu::noinline]] bool two_blocks(std::size_t bytes, bool both) {
  auto* first = static_cast<unsigned char*>(__builtin_alloca(size_of(bytes)));
  std::memset(first, 1, bytes);
  keep(first);
  if (both) {
    auto* second = static_cast<unsigned char*>(__builtin_alloca(size_of(bytes)));
    std::memset(second, 2, bytes);
    keep(second);
  }
  deep(100);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (first[i] != 1) return false;
  }
  return true;
}

// In a loop, each turn's array takes the place of the last one's.
[[gnu::noinline]] std::uint64_t array_in_a_loop(int turns, std::size_t bytes) {
  std::uint64_t sum = 0;
  for (int i = 0; i < turns; ++i) {
    unsigned char room[size_of(bytes)];  // NOLINT(clang-diagnostic-vla-extension)
    room[0] = room[bytes - 1] = 1;
    keep(room);
    sum += static_cast<std::uint64_t>(room[0]) + room[bytes - 1];
  }
  return sum;
}

[[gnu::noinline]] void throws_with_a_block(int depth) {
  auto* room = static_cast<unsigned char*>(__builtin_alloca(size_of(kLarge)));
  room[0] = room[kLarge - 1] = 1;
  keep(room);
  if (depth == 0) throw std::runtime_error("from below");
  throws_with_a_block(depth - 1);
  keep(room);
}

struct Kind {
  const char* name;
  goro::StackChoice stack;
};
void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}
class StackSpace : public ::testing::TestWithParam<Kind> {};

// Runs f() in a goroutine with that kind of stack, and waits for it.
template <typename F>
void on(Kind kind, F f, goro::Options options = {.procs = 1}) {
  goro::run(
      [&f, kind] {
        goro::WaitGroup group;
        group.go({.stack = kind.stack}, [&f] { f(); });
        group.wait();
      },
      options);
}

TEST_P(StackSpace, AllocaHoldsWhatIsWrittenThere) {
  int wrong = 0;
  on(GetParam(), [&wrong] {
    for (std::size_t bytes = 1; bytes <= kLarge; bytes = bytes * 3 + 1) {
      if (!fill_and_look(bytes, 0)) ++wrong;
      if (!fill_and_look(bytes, 500)) ++wrong;
    }
    if (!fill_and_look(kLarge, 1000)) ++wrong;
  });
  EXPECT_EQ(wrong, 0) << "a block on " << GetParam().name << " was overwritten or not aligned";
}

TEST_P(StackSpace, TwoBlocksOfAFunctionAreTwo) {
  int wrong = 0;
  on(GetParam(), [&wrong] {
    for (int i = 0; i < 10; ++i) {
      if (!two_blocks(kLarge, i % 2 == 0)) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST_P(StackSpace, AnExceptionPassesBlocks) {
  int caught = 0;
  on(GetParam(), [&caught] {
    for (int i = 0; i < 3; ++i) {
      try {
        throws_with_a_block(20);
      } catch (const std::runtime_error&) {
        ++caught;
      }
    }
  });
  EXPECT_EQ(caught, 3);
}

TEST_P(StackSpace, UnderAPreemptStorm) {
  const ChildEnd end = in_child([] {
    setenv("GORO_DEBUG", "preemptstorm=1", 1);
    goro::settings_read_again();
    goro::run(
        [] {
          goro::WaitGroup group;
          std::atomic<int> bad{0};
          for (int i = 0; i < 4; ++i) {
            group.go({.stack = GetParam().stack}, [&bad] {
              for (int round = 0; round < 100; ++round) {
                if (!fill_and_look(size_of(20'000), round)) ++bad;
                if (array_in_a_loop(20, 20'000) != 40) ++bad;
              }
            });
          }
          group.wait();
          if (bad != 0) std::_Exit(9);
        },
        {.procs = 3});
  });
  EXPECT_EQ(end.status, 0) << end.told();
}

TEST_P(StackSpace, MoreThanTheLargestStackIsAnOverflow) {
  for (const bool at_once : {true, false}) {
    const ChildEnd end = in_child([at_once] {
      on(GetParam(),
         [at_once] {
           if (at_once) {
             fill_and_look(std::size_t{64} << 20, 0);
           } else {
             throws_with_a_block(1000);
           }
         },
         {.procs = 1, .max_stack = std::size_t{8} << 20});
    });
    EXPECT_EQ(end.status, 2);
    EXPECT_TRUE(end.says("fatal error: stack overflow")) << end.told();
  }
}

INSTANTIATE_TEST_SUITE_P(, StackSpace,
                         ::testing::Values(Kind{"growable", goro::growable()},
                                           Kind{"chained", goro::chained()},
                                           Kind{"fixed", goro::fixed_stack(4 << 20)}),
                         [](const auto& info) { return std::string(info.param.name); });

constexpr Kind kChained{"chained", goro::chained()};

std::size_t in_use() {
  std::size_t bytes = 0;
  goro::on_system_stack([&bytes] {
    const struct mallinfo2 info = mallinfo2();
    bytes = info.uordblks + info.hblkhd;
  });
  return bytes;
}

// A thousand of them are a hundred times as much.
constexpr std::size_t kAFew = 10 * kLarge;

TEST(StackSpaceOfAChain, GivesBlocksOfFunctionsThatReturnedBack) {
  std::size_t before = 0;
  std::size_t after_loop = 0;
  std::size_t after_calls = 0;
  bool had_some = false;
  std::uint64_t sum = 0;
  on(kChained, [&] {
    before = in_use();
    sum = array_in_a_loop(1000, kLarge);
    after_loop = in_use();
    for (int i = 0; i < 1000; ++i) fill_and_look(kLarge, i % 10);
    after_calls = in_use();
    had_some = goro::may_have_unused_space(goro::getg()->stack);
  });
  EXPECT_EQ(sum, 2000U);
  EXPECT_TRUE(had_some) << "the arrays must not have had room on the segment";
  EXPECT_LT(after_loop, before + kAFew) << "a turn's array replaces the one before";
  EXPECT_LT(after_calls, before + kAFew) << "a call's array replaces that of the last call";
}

TEST(StackSpaceOfAChain, ParkingGivesItBackAfterAWhile) {
  std::vector<bool> parked;
  on(kChained, [&parked] {
    fill_and_look(kLarge, 0);
    goro::Channel<int> channel;
    goro::WaitGroup group;
    const goro::G* self = goro::getg();
    group.go({.stack = goro::chained()}, [&parked, channel, self] {
      for (int i = 0; i < 200; ++i) {
        channel.send(i);
        goro::yield();  // one P: it waits for the next one now
        parked.push_back(goro::may_have_unused_space(self->stack));
      }
    });
    for (int i = 0; i < 200; ++i) channel.receive();
    group.wait();
  });
  ASSERT_EQ(parked.size(), 200U);
  EXPECT_TRUE(parked.front());
  EXPECT_FALSE(parked.back()) << "who has parked 64 times without it gives it back";
}

TEST(StackSpaceOfAChain, AGoroutineThatEndsLeavesNothing) {
  constexpr int kGoroutines = 1000;
  std::size_t before = 0;
  std::size_t after = 0;
  goro::run(
      [&] {
        before = in_use();
        goro::WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go({.stack = goro::chained()}, [] { fill_and_look(kLarge, 0); });
          group.wait();
        }
        after = in_use();
      },
      {.procs = 1});
  EXPECT_LT(after, before + kAFew);
}

}  // namespace
}  // namespace stack_space_test

#endif
