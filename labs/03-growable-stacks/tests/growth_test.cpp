// The whole of it: goroutines that grow their stacks by running.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "goro/detail/park.h"
#include "support.h"

#if GORO_GROWABLE_STACKS
namespace goro::testing {
namespace {

TEST(Growth, ANewGoroutineHasTheSmallestStack) {
  GORO_STEP("start a goroutine that does nothing but look at its stack");
  Stack stack;
  on_small_stack([&] { stack = getg()->stack; });
  EXPECT_EQ(stack.size(), kStackMin);
  EXPECT_EQ(stack.hi % kStackAlign, 0U);
}

// Each frame links to a local of its caller's.
struct Link {
  Link* caller;
  int depth;
};

// At the bottom of the recursion: how many links lead back to the first frame.
LAB_NOINLINE int follow(const Link* at) {
  const Stack stack = getg()->stack;
  int count = 0;
  for (int depth = at->depth; at != nullptr; at = at->caller, ++depth, ++count) {
    if (!stack.contains(reinterpret_cast<std::uintptr_t>(at)) || at->depth != depth) return -count;
  }
  return count;
}

LAB_NOINLINE int descend(Link* caller, int depth) {
  Link here{caller, depth};
  touch(&here);
  int count = depth == 0 ? follow(&here) : descend(&here, depth - 1);
  touch(&here);
  if (here.caller != caller || here.depth != depth) count = -depth;
  return count;
}

TEST(Growth, LinkedFramesSurvive) {
  constexpr int kDepth = 100'000;
  GORO_STEP(
      "recurse ", kDepth, " deep from ", kStackMin,
      " bytes; each frame holds a pointer to a local of its caller's; then follow the pointers");
  int count = 0;
  std::size_t size = 0;
  on_small_stack([&] {
    count = descend(nullptr, kDepth);
    size = my_stack_size();
  });
  EXPECT_EQ(count, kDepth + 1)
      << "a pointer from one frame to another was not relocated, or points to the wrong place";
  EXPECT_GE(size, std::size_t{kDepth} * sizeof(Link));
}

// What happened to a local. Not on the goroutine's stack, where an address would move along.
struct Stand {
  std::uintptr_t first = 0;
  int moves = 0;
  std::size_t size_before = 0;
  std::size_t size_after = 0;
  bool whole = false;
};

// Recurses to `depth` frames and twice as deep each time, while a local and a pointer to it are
// there. One time, one doubling: two copies might lead back to where the first one began.
LAB_NOINLINE void stand_while_it_grows(int depth, int deepest, Stand* stand) {
  int local = 4711;
  int* pointer = &local;
  touch(&pointer);
  stand->first = reinterpret_cast<std::uintptr_t>(&local);
  stand->size_before = my_stack_size();
  for (; depth <= deepest; depth *= 2) {
    use_stack(depth);
    touch(&pointer);
    if (reinterpret_cast<std::uintptr_t>(&local) != stand->first) ++stand->moves;
  }
  stand->size_after = my_stack_size();
  stand->whole = pointer == &local && *pointer == 4711;
}

TEST(Growth, ALargeStackGrowsWhereItIs) {
  GORO_STEP("a goroutine makes its stack large, and recurses 32,000 deep");
  Stand large;
  Stand huge;
  on_small_stack([&] {
    use_stack(1000);
    stand_while_it_grows(1000, 32'000, &large);
    stand_while_it_grows(400'000, 400'000, &huge);
  });
  EXPECT_GE(large.size_before, kStackCacheSize);
  EXPECT_GT(large.size_after, large.size_before) << "the recursion should have made it grow";
  EXPECT_EQ(large.moves, 0)
      << "the stack had more than 32 KB, and there were free addresses below it: newstack must "
         "try extendstack before it copies";
  EXPECT_TRUE(large.whole) << "a local, or a pointer to it, was spoiled";
  GORO_STEP("and 400,000 deep, for which there are too few addresses below it");
  EXPECT_GT(huge.size_after, std::size_t{16} << 20);
  EXPECT_TRUE(huge.whole) << "where extendstack says no, the stack is copied as ever";
}

struct Record {
  Record* caller;
  std::uintptr_t return_address;
};

struct Walk {
  int records = 0;
  bool inside = true;  // each record in the stack, above the one before
};

LAB_NOINLINE void walk_records(Walk* walk) {
  const Stack stack = getg()->stack;
  const auto* at = static_cast<const Record*>(__builtin_frame_address(0));
  while (at != nullptr) {
    if (!stack.contains(reinterpret_cast<std::uintptr_t>(at))) {
      walk->inside = false;
      return;
    }
    ++walk->records;
    const Record* next = at->caller;
    if (next != nullptr && next <= at) {
      walk->inside = false;
      return;
    }
    at = next;
  }
}

LAB_NOINLINE int descend_and_walk(int depth, Walk* walk) {
  int local = depth;
  touch(&local);
  int result = 0;
  if (depth == 0) {
    walk_records(walk);
  } else {
    result = descend_and_walk(depth - 1, walk);
  }
  touch(&local);
  return result + local;
}

TEST(Growth, FramePointersAreRelocated) {
  constexpr int kDepth = 2000;
  GORO_STEP("recurse ", kDepth, " deep and walk the chain of saved frame pointers back");
  Walk walk;
  on_small_stack([&] { descend_and_walk(kDepth, &walk); });
  EXPECT_TRUE(walk.inside)
      << "after " << walk.records
      << " records the chain of saved frame pointers left the goroutine's stack, or "
         "went down instead of up: a saved frame pointer was not relocated";
  EXPECT_GE(walk.records, kDepth + 1) << "the chain ended too early";
}

// Arguments in every register that can hold one, and more of them on the stack.
LAB_NOINLINE std::int64_t many_arguments(std::int64_t a, std::int64_t b, std::int64_t c,
                                         std::int64_t d, std::int64_t e, std::int64_t f,
                                         std::int64_t g, std::int64_t h, std::int64_t i,
                                         std::int64_t j, double p, double q, double r, double s,
                                         double t, double u, double v, double w, double x, double y,
                                         const std::int64_t* local) {
  volatile char room[100];
  room[0] = static_cast<char>(a);
  asm volatile("" : : : "memory");
  const std::int64_t integers =
      a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
  const double floats = p + 2 * q + 3 * r + 4 * s + 5 * t + 6 * u + 7 * v + 8 * w + 9 * x + 10 * y;
  return integers + static_cast<std::int64_t>(floats) + *local + (room[0] - static_cast<char>(a));
}

// The callee's entry is `depth` frames down: somewhere on the way of all depths the stack ends
// there.
LAB_NOINLINE std::int64_t call_at_depth(int depth) {
  std::int64_t local = 1'000'000;
  touch(&local);
  const std::int64_t result = depth == 0
                                  ? many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1.5, 2.5, 3.5,
                                                   4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, &local)
                                  : call_at_depth(depth - 1);
  touch(&local);
  return result + local - 1'000'000;
}

TEST(Growth, ArgumentsSurviveWhereverTheStackEnds) {
  constexpr int kDepths = 200;
  GORO_STEP("for every depth from 0 to ", kDepths,
            ": a new goroutine recurses that deep and then calls a function with 21 arguments");
  std::vector<std::int64_t> results(kDepths + 1);
  for (int depth = 0; depth <= kDepths; ++depth) {
    on_small_stack(
        [&results, depth] { results[static_cast<std::size_t>(depth)] = call_at_depth(depth); });
  }
  constexpr std::int64_t kExpected = 385 + 412 + 1'000'000;  // sums of n * n and of n * (n + 0.5)
  for (int depth = 0; depth <= kDepths; ++depth) {
    ASSERT_EQ(results[static_cast<std::size_t>(depth)], kExpected)
        << "at depth " << depth << " the function's arguments were not those it was called with";
  }
}

LAB_NOINLINE bool strings_at_depth(int depth) {
  // Short enough for the buffer inside of the object, whose address the object itself holds.
  std::string name = "frame";
  name += static_cast<char>('a' + depth % 26);
  touch(&name);
  const bool below = depth == 0 || strings_at_depth(depth - 1);
  touch(&name);
  const char* inside = reinterpret_cast<const char*>(&name);
  return below && name.size() == 6 && name[5] == static_cast<char>('a' + depth % 26) &&
         name.data() >= inside && name.data() < inside + sizeof(name);
}

TEST(Growth, ShortStringsSurvive) {
  GORO_STEP("recurse 1,000 deep with a std::string in each frame that points into itself");
  bool whole = false;
  on_small_stack([&] { whole = strings_at_depth(1000); });
  EXPECT_TRUE(whole) << "a short string's pointer to its own buffer did not follow the string";
}

// Two stacks of the same goroutine over its life, and pointers between objects of different frames.
TEST(Growth, ManyGoroutinesGrowOnManyPs) {
  constexpr int kGoroutines = 400;
  GORO_STEP(kGoroutines,
            " goroutines on 4 Ps recurse to different depths, give way, and recurse again");
  std::vector<int> first(kGoroutines);
  std::vector<int> second(kGoroutines);
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go({.stack = growable()}, [i, a = first.data(), b = second.data()] {
            a[i] = descend(nullptr, i * 3);
            yield();
            b[i] = descend(nullptr, i * 7);
          });
        }
        group.wait();
      },
      {.procs = 4});
  for (int i = 0; i < kGoroutines; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_EQ(first[at], i * 3 + 1) << "goroutine " << i << " lost a link in its first recursion";
    ASSERT_EQ(second[at], i * 7 + 1) << "goroutine " << i << " lost a link in its second recursion";
  }
}

// Loops over locals that compilers turn into vector instructions, and locals with an alignment of
// their own.
LAB_NOINLINE int vectors_at_depth(int depth) {
  alignas(64) float numbers[32];
  for (int i = 0; i < 32; ++i) numbers[i] = static_cast<float>(depth + i);
  touch(&numbers);
  const int below = depth == 0 ? 0 : vectors_at_depth(depth - 1);
  touch(&numbers);
  float sum = 0;
  for (int i = 0; i < 32; ++i) sum += numbers[i] * 2;
  const bool right = sum == static_cast<float>(2 * (32 * depth + 496)) &&
                     reinterpret_cast<std::uintptr_t>(numbers) % 64 == 0;
  return below + (right ? 1 : 0);
}

TEST(Growth, AlignedAndVectorisedLocalsSurvive) {
  GORO_STEP("recurse 500 deep with an array in each frame that is aligned to 64");
  int right = 0;
  on_small_stack([&] { right = vectors_at_depth(500); });
  EXPECT_EQ(right, 501) << "an array lost its values or its alignment when the stack moved";
}

LAB_NOINLINE int asked_at_every_depth(int depth, const int* caller) {
  int local = depth;
  touch(&local);
  // As sysmon or a stop of the world would: the next check calls the runtime.
  G* gp = getg();
  gp->stackguard0.store(kStackPreempt);
  if (auto* slot = gp->m->guard_slot.load(); slot != nullptr) slot->store(kStackPreempt);
  const int below = depth == 0 ? 0 : asked_at_every_depth(depth - 1, &local);
  touch(&local);
  return below + (caller == nullptr || *caller == depth + 1 ? 1 : 0) + local - depth;
}

TEST(Growth, GoesOnWhileItIsAskedToGiveWayAtEveryCall) {
  constexpr int kDepth = 3000;
  GORO_STEP("two goroutines recurse ", kDepth,
            " deep; each asks itself to give way before each call");
  int one = 0;
  int two = 0;
  goro::run(
      [&] {
        WaitGroup group;
        group.go({.stack = growable()},
                 [out = &one] { *out = asked_at_every_depth(kDepth, nullptr); });
        group.go({.stack = growable()},
                 [out = &two] { *out = asked_at_every_depth(kDepth, nullptr); });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(one, kDepth + 1) << "a check that is asked to give way must make room as well";
  EXPECT_EQ(two, kDepth + 1);
}

// Allocation as programs do it all the time.
LAB_NOINLINE int allocate_a_lot() {
  int sum = 0;
  for (int i = 1; i <= 20; ++i) {
    auto number = std::make_unique<int>(i);
    std::vector<int> list;
    for (int k = 0; k < i * 10; ++k) list.push_back(k);
    std::string text = "a string that does not fit into the object";
    text += text;
    auto shared = std::make_shared<std::string>(text);
    touch(&shared);
    sum += *number + list.back() + static_cast<int>(shared->size() - text.size());
  }
  return sum;
}

TEST(Growth, AllocationLeavesASmallStackSmall) {
  GORO_STEP("a goroutine uses operator new, std::vector, std::string and std::shared_ptr");
  int sum = 0;
  std::size_t size = 0;
  on_small_stack([&] {
    sum = allocate_a_lot();
    size = my_stack_size();
  });
  EXPECT_EQ(sum, 210 + 2080);
  EXPECT_EQ(size, kStackMin)
      << "what runs often must not make every stack large: allocation hops to g0";
}

TEST(Growth, AHundredThousandStayAtTwoKilobytes) {
  constexpr int kGoroutines = 100'000;
  GORO_STEP(kGoroutines,
            " goroutines allocate, wait for one signal all together, and allocate again");
  static atomic<int> large{0};
  static atomic<int> finished{0};
  large.store(0);
  finished.store(0);
  goro::run(
      [] {
        WaitGroup gate;
        WaitGroup group;
        gate.add(1);
        for (int i = 0; i < kGoroutines; ++i) {
          group.go({.stack = growable()}, [gate, i] {
            auto before = std::make_unique<int>(i);
            gate.wait();
            auto after = std::make_unique<int>(*before);
            if (*after == i) finished.fetch_add(1);
            if (my_stack_size() != kStackMin) large.fetch_add(1);
          });
        }
        gate.done();
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(finished.load(), kGoroutines) << "goroutines lost what they had allocated";
  EXPECT_EQ(large.load(), 0) << "goroutines that only allocate and wait must stay at " << kStackMin
                             << " bytes, or a million of them do not fit into memory";
}

LAB_NOINLINE void print(char* out, std::size_t size, int n, double x) {
  std::snprintf(out, size, "%d %.2f %s", n, x, "text");
}

TEST(Growth, LibraryCallsGetTheRoomTheyNeed) {
  GORO_STEP("50 goroutines, each a little deeper than the last, call snprintf with a double");
  std::vector<std::string> texts(50, std::string(64, ' '));
  for (int i = 0; i < 50; ++i) {
    char* out = texts[static_cast<std::size_t>(i)].data();
    on_small_stack([out, i] {
      use_stack(i);
#if defined(__x86_64__)
      print(out, 64, i, i * 1.5);  // the linker saw the call: print asks for 16 KB
#else
      on_system_stack([&] { print(out, 64, i, i * 1.5); });
#endif
    });
  }
  for (int i = 0; i < 50; ++i) {
    char expected[64];
    std::snprintf(expected, sizeof(expected), "%d %.2f %s", i, i * 1.5, "text");
    EXPECT_STREQ(texts[static_cast<std::size_t>(i)].c_str(), expected)
        << "the library function ran into the end of the stack, or lost an argument (al says how "
           "many "
           "vector registers hold one)";
  }
}

TEST(Growth, TheSystemStackIsThereForTheRest) {
  GORO_STEP("a goroutine calls snprintf on the system stack");
  std::string text(64, ' ');
  bool caught = false;
  on_small_stack([&] {
    on_system_stack([&] { print(text.data(), 64, 42, 0.5); });
    try {
      on_system_stack([] { throw Panic("from the system stack"); });
    } catch (const Panic&) {
      caught = true;
    }
  });
  EXPECT_STREQ(text.c_str(), "42 0.50 text");
  EXPECT_TRUE(caught) << "an exception comes through on_system_stack";
}

#if defined(__x86_64__) && defined(__clang__)

// clang cannot compile a function that calls va_start with checks; library functions have none.
LAB_NOINLINE std::int64_t sum_of(int count, std::int64_t a, std::int64_t b, double c,
                                 std::int64_t d, double e, std::int64_t f, std::int64_t g,
                                 std::int64_t h, std::int64_t i, std::int64_t j) {
  char text[256];
  std::snprintf(text, sizeof(text), "%d %ld %ld %.1f %ld %.1f %ld %ld %ld %ld %ld", count, a, b, c,
                d, e, f, g, h, i, j);
  std::int64_t sum = -count;
  for (char* at = text; *at != '\0';) {
    sum += static_cast<std::int64_t>(std::strtod(at, &at) * 2);
    if (*at == ' ') ++at;
  }
  return sum - count;
}

#define lab03_format std::snprintf

#else

// Calls foreign code with its own arguments.
LAB_NOINLINE void lab03_format(char* out, std::size_t size, const char* format, ...) {
  va_list list;
  va_start(list, format);
  std::vsnprintf(out, size, format, list);
  va_end(list);
}

// Twice the sum of `count` pairs of an integer and, every third time, a double.
LAB_NOINLINE std::int64_t sum_of(int count, ...) {
  va_list list;
  va_start(list, count);
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) {
    sum += i == 2 || i == 4 ? static_cast<std::int64_t>(va_arg(list, double) * 2)
                            : va_arg(list, std::int64_t) * 2;
    use_stack(2);
  }
  va_end(list);
  return sum;
}

#endif

LAB_NOINLINE std::int64_t sum_at_depth(int depth) {
  std::int64_t local = depth;
  touch(&local);
  const std::int64_t sum =
      depth == 0
          ? sum_of(10, std::int64_t{1}, std::int64_t{2}, 3.5, std::int64_t{4}, 5.5, std::int64_t{6},
                   std::int64_t{7}, std::int64_t{8}, std::int64_t{9}, std::int64_t{10})
          : sum_at_depth(depth - 1);
  touch(&local);
  return sum + local - depth;
}

TEST(Growth, VariadicFunctionsFindTheirArguments) {
  constexpr int kDepths = 100;
  GORO_STEP("for every depth from 0 to ", kDepths,
            ": a new goroutine recurses that deep and calls a variadic "
            "function with arguments in registers and on the stack");
  std::vector<std::int64_t> sums(kDepths + 1);
  for (int depth = 0; depth <= kDepths; ++depth) {
    on_small_stack([&sums, depth] { sums[static_cast<std::size_t>(depth)] = sum_at_depth(depth); });
  }
  for (int depth = 0; depth <= kDepths; ++depth) {
    ASSERT_EQ(sums[static_cast<std::size_t>(depth)], 112)
        << "at depth " << depth
        << ": al says how many vector registers hold arguments, and arguments on the "
        << "stack are above the return address of the function that wants room";
  }
  GORO_STEP("on an ordinary thread, a variadic function hands its arguments to vsnprintf");
  char text[64];
  lab03_format(text, sizeof(text), "%d %d %d %d %d %.1f %d %d", 1, 2, 3, 4, 5, 6.5, 7, 8);
  EXPECT_STREQ(text, "1 2 3 4 5 6.5 7 8")
      << "where there is room already, arguments must be kept too";
}

#if defined(__x86_64__)

template <int kBytes>
LAB_NOINLINE bool big_frame(const int* caller) {
  volatile char room[kBytes];
  int local = *caller + 1;
  touch(&local);
  for (int i = 0; i < kBytes; i += 512) room[i] = static_cast<char>(i / 512);
  use_stack(50);
  touch(&local);
  for (int i = 0; i < kBytes; i += 512) {
    if (room[i] != static_cast<char>(i / 512)) return false;
  }
  return local == *caller + 1;
}

TEST(Growth, BigFramesFit) {
  GORO_STEP("from ", kStackMin,
            " bytes, functions with frames of 300, 3,000, 5,000, 50,000 and 500,000");
  bool fits[5] = {};
  int one = 1;
  on_small_stack([&] { fits[0] = big_frame<300>(&one); });
  on_small_stack([&] { fits[1] = big_frame<3000>(&one); });
  on_small_stack([&] { fits[2] = big_frame<5000>(&one); });
  on_small_stack([&] { fits[3] = big_frame<50'000>(&one); });
  on_small_stack([&] { fits[4] = big_frame<500'000>(&one); });
  EXPECT_TRUE(fits[0]) << "a frame of 300 bytes was spoiled";
  EXPECT_TRUE(fits[1]) << "a frame of 3,000 bytes was spoiled: doubling once may not be enough";
  EXPECT_TRUE(fits[2]) << "a frame of 5,000 bytes was spoiled: doubling once is not enough";
  EXPECT_TRUE(fits[3]) << "a frame of 50,000 bytes was spoiled";
  EXPECT_TRUE(fits[4]) << "a frame of 500,000 bytes was spoiled";
}

#endif

TEST(Growth, AFixedStackNeverMoves) {
  GORO_STEP(
      "a goroutine on a fixed stack of 256 KB publishes a local's address, recurses, parks 100 "
      "times");
  bool same = false;
  int seen = 0;
  goro::run(
      [&] {
        WaitGroup group;
        group.go({.stack = fixed_stack(256 << 10)}, [out = &same, seen_out = &seen] {
          const Stack before = getg()->stack;
          int local = 7;
          auto published = std::make_unique<int*>(&local);
          use_stack(500);
          for (int i = 0; i < 100; ++i) {
            detail::park([](void*) { return false; }, nullptr, detail::Waiting::semaphore);
          }
          touch(&local);
          *seen_out = **published;
          const Stack after = getg()->stack;
          *out = before.lo == after.lo && before.hi == after.hi && *published == &local;
        });
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(same) << "a fixed stack moved";
  EXPECT_EQ(seen, 7);
}

// -- shrinking --

struct Shrunk {
  std::size_t grown = 0;
  std::size_t after_63 = 0;
  std::size_t after_64 = 0;
  std::size_t in_the_end = 0;
  bool whole = false;
};

LAB_NOINLINE void park_quietly(int times) {
  for (int i = 0; i < times; ++i) {
    detail::park([](void*) { return false; }, nullptr, detail::Waiting::semaphore);
  }
}

LAB_NOINLINE void grow_and_wait(Shrunk* out) {
  int local = 4711;
  int* pointer = &local;
  std::string name = "short";
  touch(&pointer);
  touch(&name);
  use_stack(1000);
  out->grown = my_stack_size();
  park_quietly(63);
  out->after_63 = my_stack_size();
  park_quietly(1);
  out->after_64 = my_stack_size();
  park_quietly(64 * 10);
  out->in_the_end = my_stack_size();
  touch(&pointer);
  touch(&name);
  const char* inside = reinterpret_cast<const char*>(&name);
  out->whole = pointer == &local && *pointer == 4711 && name.size() == 5 && name[4] == 't' &&
               name.data() >= inside && name.data() < inside + sizeof(name);
}

TEST(ShrinkStack, AQuietGoroutineGivesItsStackBack) {
  GORO_STEP("a goroutine recurses 1,000 deep, comes back, and parks again and again");
  Shrunk shrunk;
  on_small_stack([&] { grow_and_wait(&shrunk); });
  EXPECT_GT(shrunk.grown, kStackMin * 8) << "the recursion should have made the stack grow";
  EXPECT_EQ(shrunk.after_63, shrunk.grown) << "63 quiet parks are not enough to move the stack";
  EXPECT_EQ(shrunk.after_64, shrunk.grown / 2) << "the 64th park in quiet halves the stack";
  EXPECT_LE(shrunk.in_the_end, kStackMin * 4) << "it goes on shrinking while little is in use";
  EXPECT_TRUE(shrunk.whole)
      << "locals and pointers between them must survive a move to a smaller stack";
}

}  // namespace
}  // namespace goro::testing
#endif
