// Steps 1 and 2: where stacks come from.
#include <algorithm>
#include <cstring>
#include <set>
#include <thread>

#include "support.h"

namespace goro::testing {
namespace {

bool overlap(Stack a, Stack b) {
  return a.lo < b.hi && b.lo < a.hi;
}

TEST(StackAlloc, GivesTheSizeThatWasAskedFor) {
  StackWorld world;
  for (std::size_t bytes = kStackMin; bytes <= kStackMin << 10; bytes *= 2) {
    GORO_STEP("stackalloc ", bytes, " bytes, write all of them, free them");
    const Stack stack = stackalloc(world.p(), bytes);
    EXPECT_EQ(stack.size(), bytes) << "hi - lo must be what was asked for";
    ASSERT_NE(stack.lo, 0U);
    std::memset(reinterpret_cast<void*>(stack.lo), 0xa5, stack.size());
    stackfree(world.p(), stack);
  }
}

TEST(StackAlloc, IsAlignedForEveryFrame) {
  StackWorld world;
  constexpr std::size_t kEnough = std::size_t{4} << 20;  // for many spans
  GORO_STEP("allocate 4 MB of stacks of each size from ", kStackMin, " to ", kStackMin << 6);
  for (std::size_t bytes = kStackMin; bytes <= kStackMin << 6; bytes *= 2) {
    for (std::size_t i = 0; i < kEnough / bytes; ++i) {
      const Stack stack = stackalloc(world.p(), bytes);
      ASSERT_EQ(stack.lo % kStackAlign, 0U)
          << "stack " << i << " of " << bytes << " bytes: a stack that is not aligned to "
          << kStackAlign << " cannot keep its frames' alignment when it moves";
      ASSERT_EQ(stack.hi % kStackAlign, 0U);
      if (bytes > kNoStackAcross) continue;
      ASSERT_EQ(stack.lo / kNoStackAcross, (stack.hi - 1) / kNoStackAcross)
          << "stack " << i << " of " << bytes
          << " bytes lies across a multiple of 64 KB, where two bools can look like an address "
             "(adjust_pointers). Spans have no such place inside: was this one cut from lo to hi, "
             "and no further?";
    }
  }
}

TEST(StackAlloc, StacksDoNotOverlap) {
  const std::uint64_t seed = testing::seed();
  std::mt19937_64 random(seed);
  StackWorld world(2);
  std::vector<Stack> live;
  GORO_STEP(
      "2,000 times: allocate a stack of a random size on one of two Ps, or free a random one");
  for (int i = 0; i < 2000; ++i) {
    P* pp = world.p(static_cast<int>(random() % 2));
    if (live.size() < 60 && (live.empty() || random() % 5 < 3)) {
      const Stack fresh = stackalloc(pp, kStackMin << random() % 6);
      for (const Stack& other : live) {
        ASSERT_FALSE(overlap(fresh, other))
            << "operation " << i << ": a new stack lies on one that is in use; seed " << seed;
      }
      live.push_back(fresh);
    } else {
      const std::size_t at = random() % live.size();
      stackfree(pp, live[at]);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
}

TEST(StackAlloc, LargeStacksDoNotGoThroughTheCache) {
  StackWorld world;
  const std::size_t bytes = kStackMin << kNumStackOrders;
  GORO_STEP("allocate and free a stack of ", bytes, " bytes, one size above the cached ones");
  const Stack stack = stackalloc(world.p(), bytes);
  for (int order = 0; order < kNumStackOrders; ++order) {
    EXPECT_EQ(cached(world.p(), order), 0U)
        << "a large stack comes from the page heap; the cache of order " << order
        << " must stay as it was";
  }
  stackfree(world.p(), stack);
  for (int order = 0; order < kNumStackOrders; ++order) {
    EXPECT_EQ(cached(world.p(), order), 0U)
        << "a large stack goes back to the page heap, not to the cache of order " << order;
  }
  GORO_STEP("ask the page heap for the same size");
  EXPECT_EQ(page_heap_alloc(bytes), stack.lo)
      << "the page heap hands out what it got back last, so the stack did not come back to it";
}

TEST(StackAlloc, EachSizeHasItsOwnCache) {
  for (int order = 0; order < kNumStackOrders; ++order) {
    StackWorld world;
    GORO_STEP("allocate and free one stack of order ", order, " (", order_bytes(order), " bytes)");
    stackfree(world.p(), stackalloc(world.p(), order_bytes(order)));
    for (int other = 0; other < kNumStackOrders; ++other) {
      if (other == order) {
        EXPECT_NE(cached(world.p(), other), 0U)
            << "a stack of " << order_bytes(order) << " bytes belongs to order " << order
            << ", in whose cache it should be now";
      } else {
        EXPECT_EQ(cached(world.p(), other), 0U)
            << "a stack of " << order_bytes(order)
            << " bytes has nothing to do with the cache of order " << other;
      }
    }
  }
}

TEST(StackAlloc, WithoutAPThePoolsAreUsed) {
  StackWorld world;
  GORO_STEP("allocate 20 stacks of ", kStackMin, " bytes without a P, free them without a P");
  std::vector<Stack> stacks;
  std::set<std::uintptr_t> known;
  for (int i = 0; i < 20; ++i) stacks.push_back(stackalloc(nullptr, kStackMin));
  for (const Stack& stack : stacks) {
    known.insert(stack.lo);
    stackfree(nullptr, stack);
  }
  EXPECT_EQ(known.size(), 20U) << "the pool handed out a stack twice";
  EXPECT_EQ(cached(world.p(), 0), 0U) << "P 0 was not named, so its cache is not to be touched";
  GORO_STEP("allocate 8 stacks on P 0");
  for (int i = 0; i < 8; ++i) {
    const Stack stack = stackalloc(world.p(), kStackMin);
    EXPECT_TRUE(known.contains(stack.lo)) << "a stack that was freed without a P goes to the pool, "
                                             "and P 0 fills its cache from there";
  }
}

TEST(StackCache, TheFirstStackFillsHalfTheCache) {
  StackWorld world;
  for (int order = 0; order < kNumStackOrders; ++order) {
    GORO_STEP("allocate one stack of order ", order, " with an empty cache");
    const Stack stack = stackalloc(world.p(), order_bytes(order));
    const std::vector<std::uintptr_t> list = cache_list(world.p(), order);
    EXPECT_EQ(cached(world.p(), order), kStackCacheSize / 2 - order_bytes(order))
        << "the cache is refilled to half of " << kStackCacheSize
        << " bytes, and one stack was taken from it";
    EXPECT_EQ(list.size() * order_bytes(order), cached(world.p(), order))
        << "the list and its count of bytes must agree";
    EXPECT_EQ(std::count(list.begin(), list.end(), stack.lo), 0)
        << "the stack that was handed out is in the cache still";
  }
}

TEST(StackCache, RefillTakesDistinctStacksUpToHalf) {
  StackWorld world;
  for (int order = 0; order < kNumStackOrders; ++order) {
    GORO_STEP("stackcache_refill of order ", order);
    stackcache_refill(world.p(), order);
    std::vector<std::uintptr_t> list = cache_list(world.p(), order);
    EXPECT_EQ(cached(world.p(), order), kStackCacheSize / 2) << "a refill is half a cache";
    ASSERT_EQ(list.size(), kStackCacheSize / 2 / order_bytes(order))
        << "as many stacks on the list as the count of bytes says";
    std::sort(list.begin(), list.end());
    for (std::size_t i = 1; i < list.size(); ++i) {
      EXPECT_GE(list[i] - list[i - 1], order_bytes(order)) << "two stacks in the cache overlap";
    }
  }
}

TEST(StackCache, LastFreedIsFirstUsed) {
  StackWorld world;
  for (int order = 0; order < 2; ++order) {  // three of a larger size would fill the cache
    GORO_STEP("allocate a, b and c of order ", order, ", free them in this order");
    const Stack a = stackalloc(world.p(), order_bytes(order));
    const Stack b = stackalloc(world.p(), order_bytes(order));
    const Stack c = stackalloc(world.p(), order_bytes(order));
    stackfree(world.p(), a);
    stackfree(world.p(), b);
    stackfree(world.p(), c);
    GORO_STEP("allocate three again");
    EXPECT_EQ(stackalloc(world.p(), order_bytes(order)).lo, c.lo)
        << "the stack that was freed last is still warm: it must be first in line";
    EXPECT_EQ(stackalloc(world.p(), order_bytes(order)).lo, b.lo) << "then the one before it";
    EXPECT_EQ(stackalloc(world.p(), order_bytes(order)).lo, a.lo) << "then the first";
  }
}

TEST(StackCache, AFullCacheIsReleasedToHalf) {
  for (int order = 0; order < kNumStackOrders; ++order) {
    StackWorld world(2);
    const std::size_t bytes = order_bytes(order);
    const std::size_t count = kStackCacheSize / bytes * 3;
    GORO_STEP("order ", order, ": P 1 allocates ", count, " stacks, P 0 frees them one by one");
    std::vector<Stack> stacks;
    for (std::size_t i = 0; i < count; ++i) stacks.push_back(stackalloc(world.p(1), bytes));
    std::size_t expected = 0;
    for (std::size_t i = 0; i < count; ++i) {
      stackfree(world.p(0), stacks[i]);
      expected += bytes;
      if (expected >= kStackCacheSize) expected = kStackCacheSize / 2;
      ASSERT_EQ(cached(world.p(0), order), expected)
          << "after " << i + 1 << " of " << count << ": a cache that holds " << kStackCacheSize
          << " bytes or more must be released down to half, and not earlier";
      ASSERT_EQ(cache_list(world.p(0), order).size() * bytes, expected)
          << "the list and its count of bytes must agree";
    }
  }
}

TEST(StackCache, ReleaseGivesBackAllButHalf) {
  StackWorld world;
  GORO_STEP("put ", kStackCacheSize / kStackMin - 1, " stacks into the cache, one short of full");
  std::vector<Stack> stacks;
  for (std::size_t i = 0; i < kStackCacheSize / kStackMin - 1; ++i) {
    stacks.push_back(stackalloc(nullptr, kStackMin));
  }
  for (const Stack& stack : stacks) stackfree(world.p(), stack);
  EXPECT_EQ(cached(world.p(), 0), kStackCacheSize - kStackMin);
  GORO_STEP("stackcache_release");
  stackcache_release(world.p(), 0);
  EXPECT_EQ(cached(world.p(), 0), kStackCacheSize / 2)
      << "a release leaves half a cache: the next stack must not need the pool's lock again";
  GORO_STEP("stackcache_release once more");
  stackcache_release(world.p(), 0);
  EXPECT_EQ(cached(world.p(), 0), kStackCacheSize / 2) << "at half already: nothing to release";
}

TEST(StackCache, WhatOnePReleasesAnotherUses) {
  StackWorld world(2);
  GORO_STEP("P 0 allocates 64 stacks of ", kStackMin, " bytes and frees them all");
  std::vector<Stack> stacks;
  std::set<std::uintptr_t> known;
  for (int i = 0; i < 64; ++i) stacks.push_back(stackalloc(world.p(0), kStackMin));
  for (const Stack& stack : stacks) {
    known.insert(stack.lo);
    stackfree(world.p(0), stack);
  }
  GORO_STEP("P 1 allocates 32");
  int reused = 0;
  for (int i = 0; i < 32; ++i)
    reused += known.contains(stackalloc(world.p(1), kStackMin).lo) ? 1 : 0;
  EXPECT_EQ(reused, 32) << "P 0 can keep only half a cache of 64 stacks; the others are in the "
                           "pool that all Ps share, "
                           "and nobody needs new memory";
}

TEST(StackCache, AGoingPGivesEverythingAway) {
  StackWorld world(2);
  GORO_STEP("P 0 allocates and frees stacks of every order");
  std::set<std::uintptr_t> known;
  for (int order = 0; order < kNumStackOrders; ++order) {
    const Stack stack = stackalloc(world.p(0), order_bytes(order));
    stackfree(world.p(0), stack);
    for (const std::uintptr_t at : cache_list(world.p(0), order)) known.insert(at);
  }
  GORO_STEP("stackcache_clear of P 0");
  stackcache_clear(world.p(0));
  for (int order = 0; order < kNumStackOrders; ++order) {
    EXPECT_EQ(cached(world.p(0), order), 0U) << "order " << order << ": the cache must be empty";
    EXPECT_EQ(world.p(0)->stackcache[order].list, nullptr) << "order " << order;
  }
  GORO_STEP("P 1 allocates one stack of every order");
  for (int order = 0; order < kNumStackOrders; ++order) {
    EXPECT_TRUE(known.contains(stackalloc(world.p(1), order_bytes(order)).lo))
        << "order " << order << ": what P 0 gave away must be in the pool for the others";
  }
}

TEST(StackPool, ResetForgetsEveryStack) {
  StackWorld world(2);
  GORO_STEP("put 16 stacks of each order into the pools");
  std::vector<Stack> stacks;
  for (int order = 0; order < kNumStackOrders; ++order) {
    for (int i = 0; i < 16; ++i) stacks.push_back(stackalloc(nullptr, order_bytes(order)));
  }
  for (const Stack& stack : stacks) stackfree(nullptr, stack);
  GORO_STEP("stackpool_reset: the page heap's memory is about to go");
  stackpool_reset();
  for (int order = 0; order < kNumStackOrders; ++order) {
    const Stack fresh = stackalloc(nullptr, order_bytes(order));
    for (const Stack& old : stacks) {
      ASSERT_FALSE(overlap(fresh, old))
          << "order " << order << ": a pool still knew a stack whose memory is gone";
    }
  }
}

// The tests below are meant for ThreadSanitizer; they run everywhere.

// Stacks that change hands: each thread has a P of its own, and everybody frees what others
// allocated.
void trade_stacks(StackWorld* world, int threads, bool with_p) {
  constexpr int kSlots = 8;
  constexpr int kRounds = 3000;
  struct Slot {
    RuntimeMutex lock;
    Stack stack;
  };
  static Slot slots[kSlots];
  static atomic<int> spoiled{0};
  spoiled.store(0);
  std::vector<std::thread> workers;
  for (int id = 0; id < threads; ++id) {
    workers.emplace_back([=] {
      P* pp = world->p(id + 1);
      const FakeThread thread(pp);
      P* used = with_p ? pp : nullptr;
      std::minstd_rand random(static_cast<std::uint32_t>(id) + 1);
      for (int i = 0; i < kRounds; ++i) {
        Stack stack = stackalloc(used, kStackMin << random() % (kNumStackOrders + 1));
        // The first words are where a free stack is linked; the last say whose it is.
        auto* first = reinterpret_cast<std::uintptr_t*>(stack.lo);
        auto* last = reinterpret_cast<std::uintptr_t*>(stack.hi) - 1;
        *first = *last = stack.lo;
        Slot& slot = slots[random() % kSlots];
        slot.lock.lock();
        std::swap(stack, slot.stack);
        slot.lock.unlock();
        if (stack.lo == 0) continue;
        first = reinterpret_cast<std::uintptr_t*>(stack.lo);
        last = reinterpret_cast<std::uintptr_t*>(stack.hi) - 1;
        if (*first != stack.lo || *last != stack.lo) spoiled.fetch_add(1);
        stackfree(used, stack);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (Slot& slot : slots) slot.stack = Stack{};
  EXPECT_EQ(spoiled.load(), 0)
      << "a stack in use was written to by somebody else: it was handed out twice";
}

TEST(StackAlloc, ManyPsTradeStacks) {
  StackWorld world(5);
  GORO_STEP("four threads, each with a P, allocate stacks, trade them and free each other's");
  trade_stacks(&world, 4, true);
}

TEST(StackAlloc, ManyThreadsShareThePools) {
  StackWorld world(5);
  GORO_STEP("four threads without Ps allocate stacks, trade them and free each other's");
  trade_stacks(&world, 4, false);
}

TEST(StackAlloc, GoroutinesComeAndGoOnManyPs) {
  GORO_STEP("4 Ps, 40 batches of 100 goroutines that give way now and then");
  static atomic<int> finished{0};
  finished.store(0);
  goro::run(
      [] {
        for (int batch = 0; batch < 40; ++batch) {
          WaitGroup group;
          for (int i = 0; i < 100; ++i) {
            group.go([i] {
              volatile char local[200];
              for (std::size_t k = 0; k < sizeof(local); ++k) local[k] = static_cast<char>(i);
              yield();
              bool same = true;
              for (std::size_t k = 0; k < sizeof(local); ++k)
                same = same && local[k] == static_cast<char>(i);
              if (same) finished.fetch_add(1);
            });
          }
          group.wait();
        }
      },
      {.procs = 4});
  EXPECT_EQ(finished.load(), 4000)
      << "a goroutine's locals were spoiled: two goroutines had one stack";
}

}  // namespace
}  // namespace goro::testing
