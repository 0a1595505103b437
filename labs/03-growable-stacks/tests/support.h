// What this lab's tests share: stacks by hand, goroutines one at a time, and child processes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "contracts/getg.h"
#include "contracts/services/page_heap.h"
#include "contracts/stack.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/fake.h"
#include "testing/story.h"

// A call that the compiler must make as it stands, in a frame of its own.
#define LAB_NOINLINE __attribute__((noinline))

namespace goro::testing {

// Keeps `value` in memory at this point: the compiler must assume that it is read and written here.
template <typename T>
inline void touch(T* value) {
  asm volatile("" : : "r"(value) : "memory");
}

// Uses about `depth` frames of stack, whatever is known about the result.
LAB_NOINLINE inline int use_stack(int depth) {
  volatile int local[8];
  for (int i = 0; i < 8; ++i) local[i] = depth + i;
  const int below = depth == 0 ? 0 : use_stack(depth - 1);
  asm volatile("" : : : "memory");
  return below + local[3] - local[2];
}

// -- stacks without goroutines --

// An M with `procs` Ps whose caches are empty, and empty pools: whoever was here before gave
// everything back, and so does this one.
class StackWorld {
 public:
  explicit StackWorld(int procs = 1) : m_(procs) {}
  ~StackWorld() {
    stackpool_reset();
    page_heap_reset();
  }
  StackWorld(const StackWorld&) = delete;
  StackWorld& operator=(const StackWorld&) = delete;

  P* p(int i = 0) { return m_.p(i); }

  // A goroutine whose stack has `bytes` and is used from sched.sp up; the words there count up
  // from 1.
  G* goroutine(std::size_t bytes, std::size_t used, GStatus status) {
    G* gp = m_.g(status);
    gp->stack_kind = StackKind::growable;
    gp->stack = stackalloc(p(), bytes);
    gp->stackguard0.store(gp->stack.lo + kStackGuard);
    gp->sched.sp = gp->stack.hi - used;
    for (std::size_t i = 0; i < used / 8; ++i) *word(gp, i) = i + 1;
    return gp;
  }

  // The i-th word of the used part, counted from hi down: a word keeps its number when the stack
  // moves.
  static std::uintptr_t* word(const G* gp, std::size_t i) {
    return reinterpret_cast<std::uintptr_t*>(gp->stack.hi) - 1 - i;
  }

 private:
  FakeM m_;
};

inline std::size_t cached(const P* pp, int order) {
  return pp->stackcache[order].bytes;
}

// The addresses in the cache, first in line first; gives up when the list does not end.
inline std::vector<std::uintptr_t> cache_list(const P* pp, int order) {
  std::vector<std::uintptr_t> list;
  for (const FreeStack* at = pp->stackcache[order].list; at != nullptr && list.size() < 1000;
       at = at->next) {
    list.push_back(reinterpret_cast<std::uintptr_t>(at));
  }
  return list;
}

inline constexpr std::size_t order_bytes(int order) {
  return kStackMin << order;
}

// -- one goroutine at a time --

// Runs f on a new goroutine with a growable stack, with one P, until it returns. f must not use
// GoogleTest and may write to the test's locals, which are not on that goroutine's stack.
template <typename F>
void on_small_stack(F f, Options options = {.procs = 1}) {
  goro::run(
      [&f] {
        WaitGroup group;
        F* fn = &f;
        group.go({.stack = growable()}, [fn] { (*fn)(); });
        group.wait();
      },
      options);
}

// The page heap keeps addresses free below 128 blocks, and here they are gone. Every stack that
// grows in the next run is copied, whatever its size.
inline void leave_no_room_below() {
  if (!GORO_GROWABLE_STACKS) return;
  for (int i = 0; i < 128; ++i) page_heap_alloc(2 * kStackCacheSize);
}

inline std::size_t my_stack_size() {
  return getg()->stack.size();
}

}  // namespace goro::testing
