// Chained stacks: any C++ from 2 KB up, because nothing moves.
//
// Where there are none (ARM64, sanitizers) the same programs run on what stands in for them; only
// what looks at segments is left out there.
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "contracts/chained_stack.h"
#include "contracts/getg.h"
#include "contracts/stack.h"
#include "frame/dump.h"
#include "frame/settings.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"
#include "tests/scale.h"

namespace chained_test {
namespace {

using goro::chained;
using goro::testing::ChildEnd;
using goro::testing::in_child;
using goro::testing::kScale;

#if GORO_CHAINED_STACKS
constexpr int kDeep = 20'000;
#else
constexpr int kDeep = 200;          // on 256 KB that stay
#endif

// The compiler takes no byte of an array away that somebody may look at.
[[gnu::always_inline]] inline void keep(volatile void* at) {
  asm volatile("" : : "r"(at) : "memory");
}

// Runs f() in a goroutine with a chained stack, and waits for it.
template <typename F>
void on_chained(F f, int procs = 1) {
  goro::run(
      [&f] {
        goro::WaitGroup group;
        group.go({.stack = chained()}, [&f] { f(); });
        group.wait();
      },
      {.procs = procs});
}

// Calls down until the stack has grown by about 64 bytes a call, and runs f there.
template <typename F>
[[gnu::noinline]] int below(int depth, F& f) {
  volatile int one = 1;
  if (depth == 0) {
    f();
    return one;
  }
  return below(depth - 1, f) + one;
}

[[gnu::noinline]] void grow(int depth = kDeep) {
  auto nothing = [] {};
  below(depth, nothing);
}

#if GORO_CHAINED_STACKS
struct Segments {
  int count = 0;  // with the base
  std::size_t bytes = 0;
  bool on_base = true;
};
Segments segments(const goro::G* gp) {
  Segments seen;
  goro::for_each_segment(gp, [&seen](goro::Stack stack) {
    ++seen.count;
    seen.bytes += stack.size();
  });
  seen.on_base = goro::stack_segment(gp->stack) == nullptr;
  return seen;
}
#endif

TEST(Chained, ContainersThatPointBackAtLocalsSurviveGrowth) {
  std::string got;
  on_chained([&got] {
    std::map<std::string, int> map;
    std::list<int> list;
    std::set<int> set;
    std::unordered_map<int, int> hashed;
    std::string text = "gopher";
    int number = 1;
    std::vector<int*> kept{&number};
    for (int i = 0; i < 20; ++i) {
      map[std::to_string(i)] = i;
      list.push_front(i);
      set.insert(-i);
      hashed[i] = i;
      grow(100 * i);
      ++*kept[0];
    }
    int sum = std::accumulate(list.begin(), list.end(), 0);
    for (const auto& [key, value] : map) sum += value;
    for (const int n : set) sum -= n;
    for (const auto& [key, value] : hashed) sum += value;
    got = text + std::to_string(sum) + "," + std::to_string(number);
  });
  EXPECT_EQ(got, "gopher760,21")
      << "a map, a list, a set, a hash table and a pointer in the heap, over twenty growths";
}

#if GORO_CHAINED_STACKS
TEST(Chained, StartsSmallAndGivesItsSegmentsBack) {
  Segments first;
  Segments deepest;
  Segments after;
  const void* address = nullptr;
  const void* address_after = nullptr;
  on_chained([&] {
    int local = 0;
    address = &local;
    first = segments(goro::getg());
    auto look = [&deepest] { deepest = segments(goro::getg()); };
    below(kDeep, look);
    after = segments(goro::getg());
    address_after = &local;
  });
  EXPECT_EQ(first.bytes, goro::kStackMin) << "it begins with a base of 2 KB";
  EXPECT_GT(deepest.count, 8) << "each segment is twice as large as the one before, up to 64 KB";
  EXPECT_FALSE(deepest.on_base);
  EXPECT_TRUE(after.on_base) << "every function on a segment has returned";
  EXPECT_LE(after.count, 2) << "one segment is kept for the next time, the others go back";
  EXPECT_EQ(address, address_after);
}

TEST(Chained, AFrameLargerThanASegmentGetsOneThatIsLargeEnough) {
  std::uint64_t sum = 0;
  Segments after;
  on_chained([&] {
    auto large = [&sum] {
      volatile std::uint8_t room[300'000];
      keep(room);
      for (std::size_t i = 0; i < sizeof(room); i += 1000) room[i] = 1;
      for (std::size_t i = 0; i < sizeof(room); i += 1000) sum += room[i];
    };
    below(3, large);
    after = segments(goro::getg());
  });
  EXPECT_EQ(sum, 300U);
  EXPECT_TRUE(after.on_base);
}
#endif

struct Wide {
  std::uint64_t words[12];
};
#if defined(__clang__)
constexpr std::size_t kAlign = 64;
#else
constexpr std::size_t kAlign = 16;  // gcc has a note to say about larger ones, each time
#endif
struct alignas(kAlign) Aligned {
  std::uint64_t words[8];
};

// More than the registers hold, and a structure and an over-aligned one by value.
[[gnu::noinline]] std::uint64_t many(int depth, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                     std::uint64_t d, std::uint64_t e, std::uint64_t f, double g,
                                     double h, double i, double j, double k, double l, double m,
                                     double n, double o, Wide wide, std::uint64_t p,
                                     Aligned aligned, char q) {
  volatile std::uint64_t room[40] = {};
  keep(room);
  if (reinterpret_cast<std::uintptr_t>(&aligned) % kAlign != 0) return 0;
  for (int at = 0; at < 8; ++at) room[at] = aligned.words[at];
  std::uint64_t sum = a + b + c + d + e + f + p + static_cast<std::uint64_t>(q);
  sum += static_cast<std::uint64_t>(g + h + i + j + k + l + m + n + o);
  for (const std::uint64_t word : wide.words) sum += word;
  for (int at = 0; at < 8; ++at) sum += room[at];
  if (depth == 0) return sum;
  return many(depth - 1, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, wide, p, aligned, q) + 1;
}

TEST(Chained, ArgumentsOnTheStackComeAlong) {
  std::uint64_t sum = 0;
  on_chained([&sum] {
    const Wide wide{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    const Aligned aligned{{1, 1, 1, 1, 1, 1, 1, 1}};
    sum = many(200, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9, wide, 100, aligned, 'a');
  });
  EXPECT_EQ(sum, 200 + 21 + 45 + 78 + 100 + 8 + 97U);
}

// A function with each kind of result, called at every depth of a stack that has just grown by a
// few bytes: some of the calls cross a seam.
struct TwoWords {
  std::uint64_t a, b;
};
struct TwoDoubles {
  double a, b;
};
struct Mixed {
  double a;
  std::uint64_t b;
};
[[gnu::noinline]] std::uint64_t word(std::uint64_t n) {
  volatile char room[200];
  keep(room);
  room[0] = 1;
  return n + static_cast<std::uint64_t>(room[0]);
}
[[gnu::noinline]] TwoWords two_words(std::uint64_t n) {
  return {word(n), word(n + 1)};
}
[[gnu::noinline]] double floating(std::uint64_t n) {
  return static_cast<double>(word(n));
}
[[gnu::noinline]] TwoDoubles two_doubles(std::uint64_t n) {
  return {floating(n), floating(n + 1)};
}
[[gnu::noinline]] Mixed mixed(std::uint64_t n) {
  return {floating(n), word(n)};
}
[[gnu::noinline]] long double extended(std::uint64_t n) {
  volatile char room[300];
  keep(room);
  room[0] = 1;
  return static_cast<long double>(n) + static_cast<long double>(room[0]);
}
[[gnu::noinline]] _Complex long double two_extended(std::uint64_t n) {
  volatile char room[300];
  keep(room);
  room[0] = 1;
  _Complex long double both;
  __real__ both = static_cast<long double>(n) + room[0];
  __imag__ both = static_cast<long double>(n) + 2;
  return both;
}
[[gnu::noinline]] Wide in_memory(std::uint64_t n) {
  Wide wide{};
  wide.words[11] = word(n);
  return wide;
}

[[gnu::noinline]] int wrong_results(int depth) {
  const auto n = static_cast<std::uint64_t>(depth);
  const auto f = static_cast<double>(depth);
  int wrong = 0;
  wrong += word(n) != n + 1 ? 1 : 0;
  const TwoWords words = two_words(n);
  wrong += words.a != n + 1 || words.b != n + 2 ? 1 : 0;
  wrong += floating(n) != f + 1 ? 1 : 0;
  const TwoDoubles doubles = two_doubles(n);
  wrong += doubles.a != f + 1 || doubles.b != f + 2 ? 1 : 0;
  const Mixed both = mixed(n);
  wrong += both.a != f + 1 || both.b != n + 1 ? 1 : 0;
  wrong += extended(n) != static_cast<long double>(n + 1) ? 1 : 0;
  const _Complex long double complex = two_extended(n);
  wrong += __real__ complex != static_cast<long double>(n + 1) ||
                   __imag__ complex != static_cast<long double>(n + 2)
               ? 1
               : 0;
  wrong += in_memory(n).words[11] != n + 1 ? 1 : 0;
  return depth == 0 ? wrong : wrong + wrong_results(depth - 1);
}

TEST(Chained, EveryKindOfResultComesBack) {
  int wrong = -1;
  on_chained([&wrong] { wrong = wrong_results(200); });
  EXPECT_EQ(wrong, 0) << "rax, rdx, xmm0, xmm1, st0 and st1 carry results over the seam";
}

#if GORO_CHAINED_STACKS
[[gnu::noinline]] std::uint64_t seven_from_below() {
  grow(500);
  return 7;
}
[[gnu::noinline]] TwoDoubles doubles_from_below(double add) {
  return {static_cast<double>(seven_from_below()) + add, add};
}
[[gnu::noinline]] long double extended_from_below(long double add) {
  return static_cast<long double>(seven_from_below()) + add;
}
[[gnu::noinline]] TwoWords words_from_below(std::uint64_t add) {
  return {seven_from_below() + add, add};
}

// A return that leaves behind it more than the one segment that is kept gives those back, and the
// result is not to suffer from that.
TEST(Chained, AResultSurvivesTheReturnThatGivesSegmentsBack) {
  int wrong = 0;
  on_chained([&wrong] {
    for (int depth = 0; depth < 60; ++depth) {
      auto check = [&wrong] {
        const TwoDoubles doubles = doubles_from_below(0.5);
        if (doubles.a != 7.5 || doubles.b != 0.5) ++wrong;
        if (extended_from_below(0.25L) != 7.25L) ++wrong;
        const TwoWords words = words_from_below(3);
        if (words.a != 10 || words.b != 3) ++wrong;
      };
      below(depth, check);
    }
  });
  EXPECT_EQ(wrong, 0);
}
#endif

#if defined(__GNUC__) && !defined(__clang__)
// clang has no prologue for these.
[[gnu::noinline]] long variadic(int count, ...) {
  volatile char room[200];
  keep(room);
  room[0] = 0;
  va_list list;
  va_start(list, count);
  long sum = room[0];
  for (int i = 0; i < count; ++i) sum += va_arg(list, long);
  sum += static_cast<long>(va_arg(list, double));
  va_end(list);
  return sum;
}

TEST(Chained, VariadicFunctionsFindTheirArguments) {
  int wrong = 0;
  on_chained([&wrong] {
    for (int depth = 0; depth < 60; ++depth) {
      auto call = [&wrong] {
        const long sum = variadic(10, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11.0);
        if (sum != 66) ++wrong;
      };
      below(depth, call);
    }
  });
  EXPECT_EQ(wrong, 0);
}
#endif

TEST(Chained, LibraryCodeHasRoom) {
  char text[64] = "";
  on_chained([&text] {
    auto print = [&text] { std::snprintf(text, sizeof(text), "%.3f %s %d", 3.14159, "pi", 7); };
    below(10, print);
  });
  EXPECT_STREQ(text, "3.142 pi 7");
}

TEST(Chained, NestedGoroutinesShareLocalsByReference) {
  std::atomic<long> total{0};
  on_chained(
      [&total] {
        std::map<int, long> parts;
        goro::Mutex mutex;
        goro::WaitGroup outer;
        for (int i = 0; i < 10; ++i) {
          outer.go({.stack = chained()}, [&, i] {
            long sum = 0;
            goro::WaitGroup inner;
            goro::Channel<long*> places;
            for (int j = 0; j < 10; ++j) {
              inner.go({.stack = chained()}, [&sum, &mutex, places, j] {
                grow(j * 20);
                mutex.lock();
                sum += j;
                mutex.unlock();
                ++**places.receive();
              });
            }
            long ones = 0;
            for (int j = 0; j < 10; ++j) places.send(&ones);
            grow(300);
            inner.wait();
            mutex.lock();
            parts[i] = sum + ones;
            mutex.unlock();
          });
        }
        outer.wait();
        for (const auto& [i, part] : parts) total += part;
      },
      1);
  EXPECT_EQ(total.load(), 10 * (45 + 10));
}

// Counts its destructions; grows the stack in each.
struct Counted {
  int* count;
  explicit Counted(int* c) : count(c) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    grow(30);
    ++*count;
  }
};

[[gnu::noinline]] int throws_from(int depth, int* count) {
  const Counted counted(count);
  if (depth == 0) throw std::runtime_error("from below");
  return throws_from(depth - 1, count) + 1;
}

TEST(Chained, AnExceptionPassesSeamsAndGivesTheirSegmentsBack) {
  constexpr int kDepth = GORO_CHAINED_STACKS ? 2000 : 200;
  int destroyed = 0;
  int caught = 0;
  int most = 0;
  bool always_back = true;
  on_chained([&] {
    for (int round = 0; round < 5; ++round) {
      try {
        throws_from(kDepth, &destroyed);
      } catch (const std::runtime_error&) {
        ++caught;
      }
#if GORO_CHAINED_STACKS
      always_back = always_back && segments(goro::getg()).on_base;
      grow(50);  // a return over a seam
      most = std::max(most, segments(goro::getg()).count);
#endif
    }
  });
  EXPECT_EQ(caught, 5);
  EXPECT_EQ(destroyed, 5 * (kDepth + 1)) << "each frame's destructor ran once";
  EXPECT_TRUE(always_back) << "G::stack is the segment of the frame that caught";
  EXPECT_LE(most, 2) << "what the exception left behind was given back";
}

#if GORO_CHAINED_STACKS
constexpr int kSeams = 1000;

// Frames of which only one fits into a segment.
struct SeamByFrame {
  int unwound = 0;  // frames whose destructors ran
  int seams = 0;    // at the deepest point
  // What was done there.
  void (*look)(SeamByFrame*) = nullptr;
  int count = 0;
  bool throws = false;
};
[[gnu::noinline]] int seam_by_frame(int depth, SeamByFrame* seen) {
  struct OnExit {
    int* at;
    ~OnExit() { ++*at; }
  } on_exit{&seen->unwound};
  volatile char room[40'000];
  keep(room);
  room[0] = 1;
  if (depth > 0) return seam_by_frame(depth - 1, seen) + room[0];
  for (const goro::StackSegment* at = goro::stack_segment(goro::getg()->stack); at != nullptr;
       at = goro::stack_segment(at->older)) {
    ++seen->seams;
  }
  if (seen->look != nullptr) seen->look(seen);
  if (seen->throws) throw 7;
  return room[0];
}

TEST(Chained, AnExceptionPassesAThousandSeams) {
  SeamByFrame seen;
  seen.throws = true;
  int caught = 0;
  Segments after;
  bool caught_on_base = false;
  on_chained([&] {
    for (int round = 0; round < 3; ++round) {
      try {
        seam_by_frame(kSeams, &seen);
      } catch (int) {
        ++caught;
        caught_on_base = goro::stack_segment(goro::getg()->stack) == nullptr;
      }
    }
    grow(50);  // a return over a seam
    after = segments(goro::getg());
  });
  EXPECT_EQ(caught, 3);
  EXPECT_EQ(seen.unwound, 3 * (kSeams + 1)) << "each frame's destructor ran once";
  EXPECT_GE(seen.seams, 3 * kSeams) << "segments stop doubling at 64 KB, so there are that many";
  EXPECT_TRUE(caught_on_base);
  EXPECT_LE(after.count, 2) << "what the exception left behind was given back";
}

TEST(Chained, TheUnwinderWalksThroughAThousandSeams) {
  SeamByFrame seen;
  seen.look = [](SeamByFrame* at) {
    _Unwind_Backtrace(
        [](_Unwind_Context* context, void* arg) {
          // At a seam the return address is the seam's own.
          if (!goro::is_seam(_Unwind_GetIP(context))) ++static_cast<SeamByFrame*>(arg)->count;
          return _URC_NO_REASON;
        },
        at);
  };
  int value = 0;
  on_chained([&] { value = seam_by_frame(kSeams, &seen); });
  EXPECT_EQ(value, kSeams + 1);
  EXPECT_GE(seen.seams, kSeams);
  EXPECT_GE(seen.count, kSeams + 1) << "every frame is there, down to the goroutine's first one";
}

TEST(Chained, SegmentsStopDoublingAt64KB) {
  std::size_t largest = 0;
  on_chained([&] {
    auto look = [&largest] {
      goro::for_each_segment(goro::getg(), [&largest](goro::Stack stack) {
        largest = std::max(largest, stack.size());
      });
    };
    below(kDeep, look);
  });
  EXPECT_EQ(largest, goro::kSegmentMost)
      << "a segment that nobody asked to be larger is as large as that at the most";
}
#endif

TEST(Chained, ACatchBlockBeyondASeamMayBlock) {
  std::string got;
  on_chained([&got] {
    goro::Channel<std::string> channel;
    goro::WaitGroup group;
    group.go({.stack = chained()}, [&] {
      auto inner = [&channel] {
        int count = 0;
        try {
          throws_from(100, &count);
        } catch (const std::exception& error) {
          grow(100);
          channel.send(error.what());
          try {
            throw std::logic_error("another");
          } catch (const std::exception& other) {
            channel.send(other.what());
          }
          channel.send(error.what());
        }
      };
      below(200, inner);
    });
    for (int i = 0; i < 3; ++i) got += *channel.receive() + ";";
    group.wait();
  });
  EXPECT_EQ(got, "from below;another;from below;");
}

TEST(Chained, GoexitUnwindsThroughSegments) {
  std::atomic<int> destroyed{0};
  goro::run(
      [&destroyed] {
        goro::WaitGroup group;
        for (int i = 0; i < 100; ++i) {
          group.add(1);
          goro::go({.stack = chained()}, [&destroyed, group] {
            struct OnExit {
              std::atomic<int>* at;
              const goro::WaitGroup* group;
              ~OnExit() {
                ++*at;
                group->done();
              }
            } on_exit{&destroyed, &group};
            volatile bool now = true;
            auto leave = [&now] {
              if (now) goro::exit_goroutine();
            };
            below(300, leave);
          });
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(destroyed.load(), 100);
}

#if GORO_CHAINED_STACKS
TEST(Chained, AHotSplitTakesNoNewSegments) {
  constexpr int kTurns = 100'000;
  int switched = 0;
  const void* first = nullptr;
  on_chained([&] {
    // Somewhere among these depths the callee's frame is the first beyond a seam.
    for (int depth = 0; depth < 40; ++depth) {
      auto loop = [&] {
        volatile std::uint64_t sum = 0;
        word(1);
        const std::uintptr_t kept = goro::stack_links(goro::getg()->stack)->newer;
        for (int i = 0; i < kTurns / 40; ++i) sum = sum + word(1);
        if (goro::stack_links(goro::getg()->stack)->newer != kept) ++switched;
        first = &switched;
      };
      below(depth, loop);
    }
  });
  EXPECT_EQ(switched, 0) << "the segment that was left last is kept for the next call";
}

TEST(Chained, ParkingGivesTheKeptSegmentBackAfterAWhile) {
  int with = 0;
  std::vector<int> parked;
  on_chained([&] {
    grow(50);
    with = segments(goro::getg()).count;
    const goro::G* self = goro::getg();
    goro::Channel<int> channel;
    goro::WaitGroup group;
    group.go({.stack = chained()}, [&parked, channel, self] {
      for (int i = 0; i < 200; ++i) {
        channel.send(i);
        goro::yield();  // one P: it waits for the next one now
        parked.push_back(segments(self).count);
      }
    });
    for (int i = 0; i < 200; ++i) channel.receive();
    group.wait();
  });
  EXPECT_EQ(with, 2);
  ASSERT_EQ(parked.size(), 200U);
  EXPECT_EQ(*std::min_element(parked.begin(), parked.end()), 1)
      << "who has parked 64 times with a segment to spare gives it back";
}

TEST(Chained, TooDeepIsAStackOverflow) {
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          goro::WaitGroup group;
          group.go({.stack = chained()}, [] { grow(1'000'000'000); });
          group.wait();
        },
        {.procs = 1, .max_stack = std::size_t{1} << 20});
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("runtime: goroutine stack exceeds 1048576-byte limit")) << end.err;
  EXPECT_TRUE(end.says("fatal error: stack overflow")) << end.err;
}

TEST(Chained, BacktracesGoThroughSeams) {
  goro::Backtrace own;
  goro::Backtrace parked;
  on_chained([&] {
    goro::Channel<int> channel;
    goro::G* gp = nullptr;
    goro::WaitGroup group;
    group.go({.stack = chained()}, [&] {
      auto wait = [&] {
        gp = goro::getg();
        channel.receive();
        goro::capture_backtrace(&own);
      };
      below(40, wait);
    });
    while (gp == nullptr) goro::yield();
    goro::yield();
    goro::on_system_stack([&] { goro::capture_parked(gp, &parked); });
    channel.send(1);
    group.wait();
  });
  EXPECT_GT(own.count, 40) << "the unwinder follows the seam's unwind information";
  EXPECT_GT(parked.count, 40) << "a walk over frame records crosses the seam";
}

TEST(Chained, ADumpOfADeepGoroutineNamesItsFirstFunction) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::Channel<int> never;
      goro::go({.stack = chained()}, [never] {
        auto wait = [&never] { never.receive(); };
        below(30, wait);
      });
      never.receive();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("goroutine 2 [chan receive]:")) << end.err;
  EXPECT_TRUE(end.says("ADumpOfADeepGoroutineNamesItsFirstFunction")) << end.err;
  EXPECT_FALSE(end.says("lessstack")) << end.err;
}
#endif

// Every goroutine is stopped again and again, at prologues and in between.
TEST(Chained, UnderAPreemptStorm) {
  const ChildEnd end = in_child([] {
    setenv("GORO_DEBUG", "preemptstorm=1", 1);
    goro::settings_read_again();
    goro::run(
        [] {
          goro::WaitGroup group;
          std::atomic<int> bad{0};
          for (int i = 0; i < 8; ++i) {
            group.go({.stack = chained()}, [&bad] {
              for (int round = 0; round < 20 * kScale; ++round) {
                std::map<int, int> map;
                map[round] = round;
                grow(300);
                if (wrong_results(100) != 0 || map.size() != 1) ++bad;
                int count = 0;
                try {
                  throws_from(20, &count);
                } catch (const std::exception&) {
                  if (count != 21) ++bad;
                }
              }
            });
          }
          group.wait();
          if (bad != 0) std::_Exit(9);
        },
        {.procs = 4});
  });
  EXPECT_EQ(end.status, 0) << end.told();
}

TEST(Chained, ManyOnManyThreads) {
  std::atomic<int> bad{0};
  goro::run(
      [&bad] {
        goro::WaitGroup group;
        for (int i = 0; i < 100 * kScale; ++i) {
          group.go({.stack = chained()}, [&bad, i] {
            std::list<int> list;
            for (int round = 0; round < 20; ++round) {
              list.push_back(round);
              grow(10 * ((i + round) % 30));
              goro::yield();
            }
            if (std::accumulate(list.begin(), list.end(), 0) != 190) ++bad;
          });
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(bad.load(), 0);
}

}  // namespace
}  // namespace chained_test
