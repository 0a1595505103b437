// Step 8: segments, for a goroutine that does not run.
#include <algorithm>

#include "chained.h"
#include "contracts/context_switch.h"
#include "contracts/services/goroutine.h"

#if GORO_CHAINED_STACKS
namespace goro::testing {
namespace {

// On g0 in a run: f(gp, pp) with a goroutine that has an empty base of 2 KB.
template <typename F>
void with_chained_goroutine(F f) {
  goro::run(
      [&f] {
        systemstack([&f] {
          P* pp = getm()->p;
          G gp;
          gp.stack_kind = StackKind::chained;
          gp.stack = stackalloc(pp, kStackMin);
          *stack_links(gp.stack) = {};
          f(&gp, pp);
        });
      },
      {.procs = 1});
}

StackSegment* newer_than(Stack stack) {
  const std::uintptr_t hi = stack_links(stack)->newer;
  return hi == 0 ? nullptr : reinterpret_cast<StackSegment*>(hi) - 1;
}

Stack stack_of(StackSegment* segment) {
  return {segment->lo, reinterpret_cast<std::uintptr_t>(segment + 1)};
}

TEST(Segments, EachIsTwiceAsLargeAsTheOneBefore) {
  with_chained_goroutine([](G* gp, P*) {
    const Stack base = gp->stack;
    std::size_t in_all = kStackMin;
    for (int i = 0; i < 8; ++i) {
      const Stack older = gp->stack;
      const std::size_t bytes = std::min(older.size() * 2, kSegmentMost);
      GORO_STEP("chain a segment to one of ", older.size(), " bytes, for a frame of 100");
      newsegment(gp, 100, 0);
      EXPECT_EQ(gp->stack.lo, older.lo)
          << "the goroutine still runs on the older segment: going over is the assembly's";
      StackSegment* segment = newer_than(older);
      ASSERT_NE(segment, nullptr) << "the older segment's `newer` must say where the segment ends";
      EXPECT_EQ(stack_of(segment).size(), bytes) << "twice as large, until they have kSegmentMost";
      EXPECT_EQ(segment->room, segment_room(bytes)) << "how much fits into it";
      EXPECT_EQ(segment->older.lo, older.lo) << "the way back";
      EXPECT_EQ(segment->older.hi, older.hi) << "the way back";
      EXPECT_EQ(segment->base.lo, base.lo) << "the base of them all";
      EXPECT_EQ(segment->base.hi, base.hi) << "the base of them all";
      EXPECT_EQ(segment->links.newer, 0U) << "nothing is chained to a new segment";
      in_all += bytes;
      EXPECT_EQ(segment->links.mark, in_all | 1)
          << "`mark` counts all segments up to this one, | 1";
      gp->stack = stack_of(segment);
    }
  });
}

TEST(Segments, AFrameAndItsStackArgumentsFit) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{3000}, segment_room(2 * kStackMin),
                                  segment_room(2 * kStackMin) + 1, std::size_t{100'000}}) {
    for (const std::size_t arguments : {0, 8, 3000, 7000}) {
      GORO_STEP("chain a segment for a frame of ", bytes, " bytes and ", arguments,
                " of stack arguments");
      with_chained_goroutine([bytes, arguments](G* gp, P*) {
        newsegment(gp, bytes, arguments);
        StackSegment* segment = newer_than(gp->stack);
        ASSERT_NE(segment, nullptr);
        const std::size_t size = stack_of(segment).size();
        EXPECT_GE(segment_room(size), bytes + arguments)
            << "the function does not check again: its frame and its arguments must fit";
        if (size > 2 * kStackMin) {
          EXPECT_LT(segment_room(size / 2), bytes + arguments)
              << "half of it would have been enough: segment_room() says how much fits";
        }
      });
    }
  }
}

TEST(Segments, WhatWasKeptGoesBackFirst) {
  with_chained_goroutine([](G* gp, P* pp) {
    GORO_STEP("chain a segment of 4 KB, then one for a frame that needs 8 KB");
    newsegment(gp, 100, 0);
    ASSERT_NE(newer_than(gp->stack), nullptr);
    const std::uintptr_t first = newer_than(gp->stack)->lo;
    newsegment(gp, 5000, 0);
    ASSERT_NE(newer_than(gp->stack), nullptr);
    EXPECT_EQ(stack_of(newer_than(gp->stack)).size(), 8192U);
    const std::vector<std::uintptr_t> free = cache_list(pp, 1);
    ASSERT_FALSE(free.empty());
    EXPECT_EQ(free.front(), first)
        << "the kept segment is too small and nobody will find it again: give it back";
  });
}

TEST(Segments, ReleasingGivesBackEveryNewerOne) {
  with_chained_goroutine([](G* gp, P* pp) {
    const Stack base = gp->stack;
    GORO_STEP("chain segments of 4, 8 and 16 KB and release what is newer than the base");
    std::vector<std::uintptr_t> segments;
    for (int i = 0; i < 3; ++i) {
      newsegment(gp, 100, 0);
      StackSegment* segment = newer_than(gp->stack);
      ASSERT_NE(segment, nullptr);
      segments.push_back(segment->lo);
      gp->stack = stack_of(segment);
    }
    gp->stack = base;
    release_newer_segments(pp, base);
    EXPECT_EQ(stack_links(base)->newer, 0U) << "nothing is chained to the base any more";
    for (int order = 1; order <= 3; ++order) {
      const std::vector<std::uintptr_t> free = cache_list(pp, order);
      EXPECT_EQ(free.empty() ? 0 : free.front(), segments[static_cast<std::size_t>(order - 1)])
          << "the segment of " << order_bytes(order) << " bytes was not given back";
    }
    GORO_STEP("and once more, when there is none");
    release_newer_segments(pp, base);
    EXPECT_EQ(stack_links(base)->newer, 0U);
  });
}

// On a goroutine: asks for a segment with a frame of `bytes`.
std::size_t asked_for;
void call_newsegment(G* gp) {
  newsegment(gp, asked_for, 0);
  goro_gogo(&gp->sched);
}

ChildEnd ask_with_64_kilobytes(std::size_t bytes) {
  asked_for = bytes;
  return in_child([] {
    on_chained_stack([] { goro_mcall(call_newsegment); }, {.procs = 1, .max_stack = 65'536});
  });
}

TEST(Segments, AllOfThemTogetherAreLimited) {
  GORO_STEP("in a child process with max_stack = 65,536, a goroutine wants a segment of 32 KB");
  ChildEnd end = ask_with_64_kilobytes(20'000);
  EXPECT_EQ(end.status, 0) << "2 KB and 32 KB are less than 64 KB:\n" << end.err;
  GORO_STEP("and one of 64 KB");
  end = ask_with_64_kilobytes(40'000);
  EXPECT_TRUE(end.says("runtime: goroutine stack exceeds 65536-byte limit"))
      << "2 KB and 64 KB are more than 64 KB: a stack overflow. All segments count, not only the "
         "largest\n"
      << end.err;
  EXPECT_EQ(end.status, 2);
  GORO_STEP("and one for nearly all of the address space");
  end = ask_with_64_kilobytes(~std::size_t{0} - 100);
  EXPECT_EQ(end.status, 2) << "a sum that wraps around must not look as if the frame fitted:\n"
                           << end.err;
}

}  // namespace
}  // namespace goro::testing
#endif
