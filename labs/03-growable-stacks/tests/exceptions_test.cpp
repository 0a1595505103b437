// Exceptions on their way through stacks that move.
#include <stdexcept>
#include <string>

#include "goro/detail/park.h"
#include "support.h"

#if GORO_GROWABLE_STACKS
namespace goro::testing {
namespace {

struct Thrown {
  int value;
};

struct CountDown {
  int* count;
  ~CountDown() { ++*count; }
};

LAB_NOINLINE int throw_at_depth(int depth, int* destroyed) {
  const CountDown guard{destroyed};
  int local = depth;
  touch(&local);
  if (depth == 0) throw Thrown{42};
  const int below = throw_at_depth(depth - 1, destroyed);
  touch(&local);
  return below + local;
}

TEST(Exceptions, CrossFiveThousandFrames) {
  constexpr int kDepth = 5000;
  GORO_STEP("recurse ", kDepth, " deep, throw at the bottom, catch at the top");
  int destroyed = 0;
  int caught = 0;
  int local_after = 0;
  on_small_stack([&] {
    int local = 4711;
    touch(&local);
    try {
      throw_at_depth(kDepth, &destroyed);
    } catch (const Thrown& thrown) {
      caught = thrown.value;
    }
    touch(&local);
    local_after = local;
  });
  EXPECT_EQ(caught, 42) << "the exception did not arrive";
  EXPECT_EQ(destroyed, kDepth + 1) << "every frame's destructor runs once";
  EXPECT_EQ(local_after, 4711) << "the catcher's local was spoiled";
}

// A destructor that needs more stack than there is: the stack moves while the exception is under
// way.
struct Grown {
  int destroyed = 0;
  int moves = 0;       // while the exception was under way
  int moves_told = 0;  // and the runtime was told of them
};

LAB_NOINLINE int moves_told() {
  int count = 0;
  for (const StackMove* move = getg()->moves; move != nullptr; move = move->next) ++count;
  return count;
}

struct Grower {
  int depth;
  Grown* grown;
  ~Grower() {
    const std::uintptr_t before = getg()->stack.hi;
    use_stack(depth);
    if (getg()->stack.hi != before) ++grown->moves;
    grown->moves_told = moves_told();
    ++grown->destroyed;
  }
};

LAB_NOINLINE int throw_past_growers(int frames, Grown* grown) {
  // Deeper with each frame that is unwound, so that the stack moves several times on the way.
  const Grower grower{(20 - frames) * 600, grown};
  int local = frames;
  touch(&local);
  if (frames == 0) throw Thrown{7};
  const int below = throw_past_growers(frames - 1, grown);
  touch(&local);
  return below + local;
}

TEST(Exceptions, DestructorsMayGrowTheStack) {
  GORO_STEP("throw through 20 frames whose destructors recurse deeper and deeper");
  Grown grown;
  int caught = 0;
  std::size_t before = 0;
  std::size_t after = 0;
  leave_no_room_below();
  on_small_stack([&] {
    try {
      before = my_stack_size();
      throw_past_growers(19, &grown);
    } catch (const Thrown& thrown) {
      caught = thrown.value;
    }
    after = my_stack_size();
  });
  EXPECT_EQ(caught, 7) << "the exception did not arrive";
  EXPECT_EQ(grown.destroyed, 20) << "every frame's destructor runs once";
  EXPECT_GE(grown.moves_told, grown.moves) << "the unwinder has written down at which stack "
                                              "address the handler is, then the stack moved: "
                                              " copystack must call exceptions_stack_moved";
  EXPECT_GE(after, before * 32) << "the destructors should have made the stack grow";
}

// A destructor that throws and catches on its own, grows the stack, and parks, all while an outer
// exception is under way.
struct Busy {
  int* count;
  ~Busy() {
    int inner = 0;
    try {
      throw_at_depth(800, &inner);
    } catch (const Thrown&) {
      use_stack(3000);
      yield();
      ++*count;
    }
  }
};

LAB_NOINLINE int throw_past_busy(int frames, int* count) {
  const Busy busy{count};
  int local = frames;
  touch(&local);
  if (frames == 0) throw Thrown{9};
  const int below = throw_past_busy(frames - 1, count);
  touch(&local);
  return below + local;
}

TEST(Exceptions, MayBeThrownWhileOthersAreUnderWay) {
  GORO_STEP(
      "two goroutines throw through destructors that throw, catch, grow the stack and give way");
  int caught[2] = {};
  int count[2] = {};
  leave_no_room_below();
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < 2; ++i) {
          group.go([out = &caught[i], n = &count[i]] {
            try {
              throw_past_busy(5, n);
            } catch (const Thrown& thrown) {
              *out = thrown.value;
            }
          });
        }
        group.wait();
      },
      {.procs = 1});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(caught[i], 9) << "goroutine " << i << "'s outer exception got lost";
    EXPECT_EQ(count[i], 6) << "goroutine " << i;
  }
}

__attribute__((cold)) LAB_NOINLINE void fail(int i) {
  throw Thrown{i};
}

LAB_NOINLINE int seldom(int i) {
  int local = i;
  touch(&local);
  if (__builtin_expect(i % 3 == 0, 0)) fail(i);
  touch(&local);
  return local;
}

TEST(Exceptions, OnAColdPathFromASmallStack) {
  constexpr int kGoroutines = 2000;
  GORO_STEP(kGoroutines,
            " goroutines with new stacks; every third throws where the compiler expects none");
  static atomic<int> thrown{0};
  static atomic<int> wrong{0};
  thrown.store(0);
  wrong.store(0);
  goro::run(
      [] {
        WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([i] {
            try {
              if (seldom(i) != i || i % 3 == 0) wrong.fetch_add(1);
            } catch (const Thrown& t) {
              thrown.fetch_add(1);
              if (t.value != i) wrong.fetch_add(1);
            }
          });
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(thrown.load(), (kGoroutines + 2) / 3);
  EXPECT_EQ(wrong.load(), 0);
}

// Inside the handler: grow, park, go on on whatever thread, look at the exception again, throw it
// on.
LAB_NOINLINE int handle(int i) {
  try {
    try {
      throw std::runtime_error("number " + std::to_string(i));
    } catch (const std::runtime_error&) {
      use_stack(200 + i);
      yield();
      use_stack(400 + i);
      yield();
      throw;
    }
  } catch (const std::exception& error) {
    return error.what() == "number " + std::to_string(i) ? 1 : 0;
  }
}

TEST(Exceptions, AHandlerMayGrowTheStackAndPark) {
  constexpr int kGoroutines = 200;
  GORO_STEP(kGoroutines, " goroutines on 4 Ps: throw, grow and give way in the handler, throw on");
  static atomic<int> right{0};
  right.store(0);
  goro::run(
      [] {
        WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([i] { right.fetch_add(handle(i)); });
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(right.load(), kGoroutines) << "an exception was spoiled while its handler ran";
}

}  // namespace
}  // namespace goro::testing
#endif
