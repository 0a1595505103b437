// Pins: a growable stack stays where it is while somebody else may know its frames, and copies
// again afterwards.
//
// Where nothing moves (sanitizers) the same programs run; only what looks at segments is left out
// there.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "contracts/chained_stack.h"
#include "contracts/getg.h"
#include "contracts/services/pin.h"
#include "contracts/stack.h"
#include "frame/settings.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"
#include "tests/scale.h"

namespace pin_test {
namespace {

using goro::pin_stack;

constexpr int kDeep = GORO_GROWABLE_STACKS ? 5'000 : 200;  // 128 KB that stay

#if GORO_GROWABLE_STACKS && !GORO_CHAINED_STACKS
TEST(Pin, ThereIsNoneWhereStacksCannotBeChained) {
  const goro::testing::ChildEnd end = goro::testing::in_child([] {
    // On one P: each P has numbers of its own to give.
    goro::run(
        [] {
          const auto on_goroutine_1 = pin_stack();
          const goro::WaitGroup group;
          group.go({.stack = goro::chained()}, [] { const auto on_chained = pin_stack(); });
          group.wait();
          group.go([] { const auto on_growable = pin_stack(); });
          group.wait();
        },
        {.procs = 1});
  });
  EXPECT_EQ(end.status, 2) << "goroutine 3's stack would move under its scope\n" << end.err;
  EXPECT_TRUE(end.says("pin_stack: goroutine 3 runs on a growable stack")) << end.err;
  EXPECT_TRUE(end.says("goro::chained()")) << "the text names the remedies:\n" << end.err;
}
#else

// Runs f() in a goroutine with a growable stack, and waits for it. (These tests also run under
// GORO_DEBUG=chainedstacks=1, where nobody gets one.)
template <typename F>
void on_growable(F f, int procs = 1) {
  struct Growable {
    goro::StackKind outer =
        std::exchange(goro::stack_kind_if_none_asked, goro::StackKind::growable);
    ~Growable() { goro::stack_kind_if_none_asked = outer; }
  } const growable;
  goro::run(
      [&f] {
        const goro::WaitGroup group;
        group.go([&f] { f(); });
        group.wait();
      },
      {.procs = procs});
}

[[gnu::noinline]] int below(int depth) {
  volatile int one = 1;
  return depth == 0 ? one : below(depth - 1) + one;
}

// No library function is called where a stack's size matters: its caller asks for 16 KB.
[[gnu::noinline]] void grow(int depth = kDeep) {
  if (below(depth) != depth + 1) __builtin_trap();
}

TEST(Pin, ContainersAsLocalsSurviveGrowth) {
  std::string got;
  on_growable([&got] {
    const auto pinned = pin_stack();
    std::map<std::string, int> map;
    std::list<int> list;
    std::set<int> set;
    std::unordered_map<int, int> hashed;
    int number = 1;
    std::vector<int*> kept{&number};
    for (int i = 0; i < 20; ++i) {
      map[std::to_string(i)] = i;
      list.push_front(i);
      set.insert(-i);
      hashed[i] = i;
      grow(kDeep / 50 * i);
      ++*kept[0];
    }
    int sum = std::accumulate(list.begin(), list.end(), 0);
    for (const auto& [key, value] : map) sum += value;
    for (const int n : set) sum -= n;
    for (const auto& [key, value] : hashed) sum += value;
    got = std::to_string(sum) + "," + std::to_string(number);
  });
  EXPECT_EQ(got, "760,21")
      << "a map, a list, a set, a hash table and a pointer in the heap, over twenty growths";
}

// f at a depth of so many calls.
template <typename F>
[[gnu::noinline]] int at_depth(int depth, F& f) {
  volatile int one = 1;
  if (depth == 0) {
    f();
    return one;
  }
  return at_depth(depth - 1, f) + one;
}

TEST(Pin, FanOutAndFanInByReferenceFromNestedGoroutines) {
  std::atomic<long> total{0};
  on_growable(
      [&total] {
        std::atomic<long> sum{0};
        const goro::WaitGroup outer;
        for (int i = 0; i < 8; ++i) {
          outer.go([&, i] {
            long parts[10] = {};
            std::atomic<int> finished{0};
            goro::Mutex mutex;
            long locked = 0;
            const goro::WaitGroup inner;
            for (int j = 0; j < 10; ++j) {
              inner.go([&, j] {
                grow(j * kDeep / 50);
                parts[j] += i * 10 + j;
                ++finished;
                const std::lock_guard guard(mutex);
                ++locked;
              });
            }
            grow();
            inner.wait();
            if (finished != 10 || locked != 10) __builtin_trap();
            sum += std::accumulate(std::begin(parts), std::end(parts), 0L);
          });
          grow(i * kDeep / 50);
        }
        outer.wait();
        total = sum.load();
      },
      2);
  EXPECT_EQ(total.load(), 79 * 80 / 2);
}

// A local is made known by publish(&local), the stack grows, and another goroutine adds 1 to it.
template <typename F>
void add_one_after_growth(const goro::Channel<int*>& known, const goro::Channel<bool>& added,
                          F publish) {
  int local = 41;
  const goro::WaitGroup helper;
  const goro::Channel<bool> go_on;
  helper.go([known, added, go_on] {
    int* at = *known.receive();
    go_on.receive();
    ++*at;
    added.send(true);
  });
  publish(&local);
  grow();
  go_on.send(true);
  added.receive();
  helper.wait();
  if (local != 42) __builtin_trap();
}

template <typename F>
void expect_pinned_by(F publish, int capacity) {
  int rounds = 0;
  on_growable([&] {
    for (int depth = 0; depth < 40; ++depth) {
      const goro::Channel<int*> known(capacity);
      const goro::Channel<bool> added;
      auto once = [&] {
        add_one_after_growth(known, added, [&](int* local) { publish(known, local); });
      };
      at_depth(depth, once);
      ++rounds;
    }
  });
  EXPECT_EQ(rounds, 40);
}

TEST(Pin, BySendToOneWhoWaits) {
  expect_pinned_by(
      [](const goro::Channel<int*>& known, int* local) {
        goro::yield();  // one P: the receiver waits now
        known.send(local);
      },
      0);
}

TEST(Pin, ByASendThatWaits) {
  expect_pinned_by([](const goro::Channel<int*>& known, int* local) { known.send(local); }, 0);
}

TEST(Pin, BySendIntoABuffer) {
  expect_pinned_by([](const goro::Channel<int*>& known, int* local) { known.send(local); }, 1);
}

TEST(Pin, ByTrySend) {
  expect_pinned_by(
      [](const goro::Channel<int*>& known, int* local) {
        if (!known.try_send(local)) __builtin_trap();
      },
      1);
}

TEST(Pin, BySelect) {
  expect_pinned_by(
      [](const goro::Channel<int*>& known, int* local) {
        const goro::Channel<int> silent;
        goro::select(goro::on_send(known, local, [] {}),
                     goro::on_receive(silent, [](std::optional<int>) {}));
      },
      0);
}

TEST(Pin, ByAHandlerInAListOfCases) {
  int handled = 0;
  on_growable([&handled] {
    for (int depth = 0; depth < 40; ++depth) {
      auto once = [&handled] {
        int local = 0;
        const goro::Channel<int> channel(1);
        std::vector<goro::SelectCase> cases;
        cases.emplace_back(
            goro::on_receive(channel, [&local](std::optional<int> v) { local = *v; }));
        cases.emplace_back(goro::on_receive(goro::Channel<int>(), [](std::optional<int>) {}));
        channel.send(7);
        grow();
        goro::select(std::span(cases));
        handled += local;
      };
      at_depth(depth, once);
    }
  });
  EXPECT_EQ(handled, 40 * 7);
}

TEST(Pin, ByAClosureInTheHeap) {
  int right = 0;
  on_growable([&right] {
    // At some of these depths, go() itself has to make room.
    for (int depth = 0; depth < 60; ++depth) {
      auto once = [&right] {
        int local = 0;
        struct {
          char bytes[100] = {};
        } large;
        const goro::WaitGroup group;
        group.go([large, &local] { local = 7 + large.bytes[99]; });
        grow();
        group.wait();
        right += local;
      };
      at_depth(depth, once);
    }
  });
  EXPECT_EQ(right, 60 * 7);
}

TEST(Pin, ByAfterFunc) {
  int right = 0;
  on_growable([&right] {
    for (int depth = 0; depth < 20; ++depth) {
      auto once = [&right] {
        int local = 0;
        const goro::Channel<bool> done;
        const goro::Timer timer = goro::after_func(std::chrono::microseconds(1), [&local, done] {
          local = 7;
          done.send(true);
        });
        grow();
        done.receive();
        right += local;
      };
      at_depth(depth, once);
    }
  });
  EXPECT_EQ(right, 20 * 7);
}

// Every goroutine is stopped again and again, at prologues and in between.
TEST(Pin, UnderAPreemptStorm) {
  const goro::testing::ChildEnd end = goro::testing::in_child([] {
    setenv("GORO_DEBUG", "preemptstorm=1", 1);
    goro::settings_read_again();
    int wrong = 0;
    on_growable(
        [&wrong] {
          std::atomic<int> bad{0};
          const goro::WaitGroup group;
          for (int i = 0; i < 8; ++i) {
            group.go([&bad, i] {
              for (int round = 0; round < 10 * goro::testing::kScale; ++round) {
                {
                  const auto pinned = pin_stack();
                  std::map<int, int> map{{round, i}};
                  grow(kDeep / 20);
                  if (map.at(round) != i) ++bad;
                }
                grow(kDeep / 10);
                int local = 0;
                const goro::WaitGroup one;
                one.go([&local] { local = 7; });
                grow(kDeep / 20);
                one.wait();
                if (local != 7) ++bad;
              }
            });
          }
          group.wait();
          wrong = bad;
        },
        4);
    std::_Exit(wrong == 0 ? 0 : 9);
  });
  EXPECT_EQ(end.status, 0) << end.told();
}

#if GORO_CHAINED_STACKS

// So many calls into a kept segment, at most, until the pin is looked at.
constexpr int kLooksEvery = 64;

bool is_pinned() {
  return goro::getg()->stack_kind == goro::StackKind::chained;
}
int segments() {
  int count = 0;
  if (!is_pinned()) return 1;
  goro::for_each_segment(goro::getg(), [&count](goro::Stack) { ++count; });
  return count;
}

// Where the stack ends that its caller is on.
[[gnu::noinline]] std::uintptr_t stack_end() {
  return goro::getg()->stack.hi;
}

TEST(Pin, WhenAScopeIsOverTheStackCopiesAgain) {
  std::uintptr_t before = 0;
  std::uintptr_t in_scope = 0;
  std::uintptr_t after = 0;
  std::size_t size_in_scope = 0;
  std::size_t size_after = 0;
  int segments_in_scope = 0;
  int segments_after = 0;
  bool pinned_after = true;
  on_growable([&] {
    before = stack_end();
    {
      const auto pinned = pin_stack();
      grow();
      in_scope = stack_end();
      size_in_scope = goro::getg()->stack.size();
      segments_in_scope = segments();
    }
    pinned_after = is_pinned();
    grow();
    after = stack_end();
    size_after = goro::getg()->stack.size();
    segments_after = segments();
  });
  EXPECT_EQ(before, in_scope) << "the stack moved in a scope of pin_stack()";
  EXPECT_EQ(size_in_scope, goro::kStackMin) << "it grew by segments, not by moving";
  EXPECT_EQ(segments_in_scope, 2) << "the base, and the segment that is kept";
  EXPECT_FALSE(pinned_after) << "no scope is open, and nobody knows an address";
  EXPECT_NE(after, before) << "after the scope it grows by copying, so it moved";
  EXPECT_GT(size_after, goro::kStackMin * 16);
  EXPECT_EQ(segments_after, 1);
}

TEST(Pin, ScopesNest) {
  std::vector<bool> pinned;
  std::uintptr_t before = 0;
  std::uintptr_t inside = 0;
  on_growable([&] {
    before = stack_end();
    {
      const auto outer = pin_stack();
      {
        const auto inner = pin_stack();
        const auto innermost = pin_stack();
        grow();
        pinned.push_back(is_pinned());
      }
      grow();
      inside = stack_end();
      pinned.push_back(is_pinned());
    }
    pinned.push_back(is_pinned());
  });
  EXPECT_EQ(pinned, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(inside, before) << "the outer scope is still open when the inner ones have ended";
}

// Each call has a scope, most of them on a segment.
[[gnu::noinline]] int pinned_at_every_depth(int depth) {
  const auto pinned = pin_stack();
  std::map<int, int> map{{depth, 1}};
  if (depth == 0) return map.at(0);
  const int sum = pinned_at_every_depth(depth - 1);
  return sum + map.at(depth);
}

TEST(Pin, AScopeInEachFrameOfADeepRecursion) {
  int sum = 0;
  bool pinned_after = true;
  on_growable([&] {
    sum = pinned_at_every_depth(70'000);  // more than the mark can count
    pinned_after = is_pinned();
  });
  EXPECT_EQ(sum, 70'001);
  EXPECT_FALSE(pinned_after);
}

TEST(Pin, AScopeThatBeganOnASegmentOfAnotherOne) {
  bool always = true;
  bool pinned_after = true;
  on_growable([&] {
    {
      const auto outer = pin_stack();
      for (int depth = 1; depth < 60; ++depth) {
        pinned_at_every_depth(depth);
        always = always && is_pinned();
      }
    }
    pinned_after = is_pinned();
  });
  EXPECT_TRUE(always);
  EXPECT_FALSE(pinned_after);
}

[[gnu::noinline]] void throws_pinned(int depth) {
  const auto pinned = pin_stack();
  std::set<int> set{depth};
  struct GrowsAtExit {
    const std::set<int>* of;
    ~GrowsAtExit() {
      grow(200);
      if (of->size() != 1) __builtin_trap();
    }
  } at_exit{&set};
  if (depth == 0) throw std::string("from below");
  throws_pinned(depth - 1);
}

TEST(Pin, AnExceptionEndsScopes) {
  std::string got;
  bool pinned_after = true;
  int segments_after = 0;
  on_growable([&] {
    for (int depth = 0; depth < 40; ++depth) {
      try {
        throws_pinned(depth);
      } catch (const std::string& text) {
        grow();  // copies, in a catch block
        got = text;
      }
      pinned_after = is_pinned();
      segments_after = segments();
    }
  });
  EXPECT_EQ(got, "from below");
  EXPECT_FALSE(pinned_after);
  EXPECT_EQ(segments_after, 1);
}

TEST(Pin, ExitGoroutineEndsScopes) {
  std::atomic<int> ended{0};
  on_growable([&ended] {
    const goro::WaitGroup group;
    for (int i = 0; i < 50; ++i) {
      group.go([&ended, i] {
        const auto pinned = pin_stack();
        struct OnExit {
          std::atomic<int>* at;
          ~OnExit() { ++*at; }
        } on_exit{&ended};
        grow(10 * i);
        goro::exit_goroutine();
      });
    }
    group.wait();
  });
  EXPECT_EQ(ended.load(), 50);
}

TEST(Pin, OnOtherStacksNothingHappens) {
  bool wrong = false;
  goro::run([&wrong] {
    const auto on_goroutine_1 = pin_stack();
    wrong = wrong || goro::getg()->stack_kind != goro::StackKind::fixed;
    const goro::WaitGroup group;
    group.go({.stack = goro::chained()}, [&wrong] {
      {
        const auto on_chained = pin_stack();
        grow();
      }
      grow();
      wrong = wrong || goro::getg()->stack_kind != goro::StackKind::chained;
      goro::on_system_stack([] { const auto on_g0 = pin_stack(); });
    });
    group.wait();
  });
  const auto outside = pin_stack();
  EXPECT_FALSE(wrong);
}

TEST(Pin, ParkingGivesNothingBackInAScopeAndShrinksAfterIt) {
  std::size_t size_in_scope = 0;
  std::size_t size_after = 0;
  on_growable([&] {
    grow();
    const goro::Channel<int> channel;
    const goro::WaitGroup group;
    group.go([channel] {
      while (channel.receive()) goro::yield();
    });
    {
      const auto pinned = pin_stack();
      const std::size_t size = goro::getg()->stack.size();
      for (int i = 0; i < 200; ++i) channel.send(i);
      size_in_scope = goro::getg()->stack.size() == size ? size : 0;
    }
    for (int i = 0; i < 2000; ++i) channel.send(i);
    size_after = goro::getg()->stack.size();
    channel.close();
    group.wait();
  });
  EXPECT_GT(size_in_scope, goro::kStackMin * 16) << "a pinned stack does not shrink";
  EXPECT_LT(size_after, goro::kStackMin * 4) << "one that is no longer pinned does";
}

[[gnu::noinline]] void send_a_local(const goro::Channel<int*>& to) {
  int local = 1;
  to.send(&local);
  grow(100);  // leaves a segment that is kept
}

TEST(Pin, IsOverWhenTheFrameHasReturned) {
  bool pinned_before_growth = false;
  bool pinned_after = true;
  std::uintptr_t before = 0;
  std::uintptr_t after = 0;
  int segments_before = 0;
  int segments_after = 0;
  on_growable([&] {
    const goro::Channel<int*> to(1);
    before = stack_end();
    send_a_local(to);
    pinned_before_growth = is_pinned();
    segments_before = segments();
    for (int i = 0; i < kLooksEvery; ++i) grow(100);  // would fit into the kept segment
    pinned_after = is_pinned();
    after = stack_end();
    segments_after = segments();
    grow();
  });
  EXPECT_TRUE(pinned_before_growth) << "nobody is told when a frame returns";
  EXPECT_EQ(segments_before, 2);
  EXPECT_FALSE(pinned_after) << "the next growth finds that the frame is gone";
  EXPECT_NE(after, before) << "so the stack was copied";
  EXPECT_EQ(segments_after, 1) << "and the segment was given back";
}

TEST(Pin, LastsAsLongAsTheOldestFrameThatIsKnown) {
  std::vector<bool> pinned;
  std::uintptr_t before = 0;
  std::uintptr_t after = 0;
  int local = 0;
  on_growable([&] {
    const goro::Channel<int*> to(10);
    before = stack_end();
    auto outer = [&] {
      int own = 0;
      to.send(&own);
      send_a_local(to);
      grow();
      pinned.push_back(is_pinned());
      {
        const auto scope = pin_stack();
        send_a_local(to);
      }
      grow();
      pinned.push_back(is_pinned());
      after = stack_end();
      local += own;
    };
    at_depth(1, outer);
    for (int i = 0; i < kLooksEvery; ++i) grow();
    pinned.push_back(is_pinned());
  });
  EXPECT_EQ(pinned, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(after, before);
}

TEST(Pin, AParkFindsThatItIsOver) {
  bool pinned_before = false;
  bool pinned_after = true;
  on_growable([&] {
    const goro::Channel<int*> to(1);
    send_a_local(to);
    pinned_before = is_pinned();
    goro::sleep(std::chrono::microseconds(1));
    pinned_after = is_pinned();
  });
  EXPECT_TRUE(pinned_before);
  EXPECT_FALSE(pinned_after);
}

TEST(Pin, WhatHoldsNoAddressOfALocalDoesNotPin) {
  std::string pinned_by;
  on_growable([&] {
    const auto look = [&pinned_by](const char* what) {
      if (is_pinned()) pinned_by += std::string(what) + ";";
    };
    int local = 7;
    const goro::Channel<std::string> texts(1);
    texts.send("short");
    look("a short string, which points into itself");
    const goro::Channel<std::list<int> > lists(1);
    lists.send(std::list<int>{});
    look("an empty list, which points into itself");
    const goro::Channel<std::vector<int> > vectors(1);
    vectors.send(std::vector<int>{local});
    look("a vector");
    static int global = 0;
    const goro::Channel<int*> pointers(2);
    pointers.send(&global);
    const auto in_heap = std::make_unique<int>(1);
    pointers.send(in_heap.get());
    look("pointers to a global and into the heap");
    const goro::Channel<std::uint64_t> numbers(1);
    numbers.send(reinterpret_cast<std::uintptr_t>(&local));
    look("a number");
    const goro::WaitGroup group;
    const std::string text = "also short";
    group.go([local, text, group] { global = local + static_cast<int>(text.size()); });
    group.go({.unchecked = true},
             [at = reinterpret_cast<std::uintptr_t>(&local)] { global += at == 0 ? 1 : 0; });
    look("closures that copy, or that are not to be looked at");
    group.wait();
  });
  EXPECT_EQ(pinned_by, "");
}

// What alloca has no room for is in the heap while the stack is pinned, and a word of the stack
// says whose it is.
[[gnu::noinline]] void pins_and_unpins_around(std::size_t bytes, std::vector<bool>* pinned) {
  volatile char* room = nullptr;
  {
    const auto scope = pin_stack();
    room = static_cast<volatile char*>(__builtin_alloca(bytes));
    for (std::size_t at = 0; at < bytes; ++at) room[at] = 7;
    grow(100);
  }
  pinned->push_back(is_pinned());
  grow(100);
  for (std::size_t at = 0; at < bytes; ++at) {
    if (room[at] != 7) __builtin_trap();
  }
}

// The word that says whose it is may be left in a hole between frames.
[[gnu::noinline]] void write_over_what_is_below() {
  volatile char room[600];
  for (volatile char& c : room) c = 1;
}

TEST(Pin, LastsAsLongAsWhatAllocaTookFromTheHeap) {
  std::vector<bool> pinned;
  bool pinned_after = true;
  on_growable([&] {
    pins_and_unpins_around(16, &pinned);
    pins_and_unpins_around(100'000, &pinned);
    write_over_what_is_below();
    for (int i = 0; i < kLooksEvery; ++i) grow();
    pinned_after = is_pinned();
  });
  EXPECT_EQ(pinned, (std::vector<bool>{false, true}));
  EXPECT_FALSE(pinned_after) << "the function has returned";
}
#endif
#endif

}  // namespace
}  // namespace pin_test
