// Pins: a growable stack stays where it is while somebody else may know its frames, and copies
// again afterwards.
//
// Where nothing moves (sanitizers) the same programs run; only what looks at segments is left out
// there.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <numeric>
#include <set>
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
    goro::run([] {
      const auto on_goroutine_1 = pin_stack();
      const goro::WaitGroup group;
      group.go({.stack = goro::chained()}, [] { const auto on_chained = pin_stack(); });
      group.wait();
      group.go([] { const auto on_growable = pin_stack(); });
      group.wait();
    });
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

void grow(int depth = kDeep) {
  if (below(depth) != depth + 1) std::abort();
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

#if GORO_CHAINED_STACKS

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
      if (of->size() != 1) std::abort();
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
    if (room[at] != 7) std::abort();
  }
}

TEST(Pin, LastsAsLongAsWhatAllocaTookFromTheHeap) {
  std::vector<bool> pinned;
  bool pinned_after = true;
  on_growable([&] {
    pins_and_unpins_around(16, &pinned);
    pins_and_unpins_around(100'000, &pinned);
    grow();
    pinned_after = is_pinned();
  });
  EXPECT_EQ(pinned, (std::vector<bool>{false, true}));
  EXPECT_FALSE(pinned_after) << "the function has returned";
}
#endif
#endif

}  // namespace
}  // namespace pin_test
