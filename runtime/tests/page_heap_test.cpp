// Where the memory of large stacks comes from, and where it stays.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include "contracts/constants.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/stackcheck.h"
#include "frame/gaps.h"
#include "testing/child.h"

#if GORO_GROWABLE_STACKS
namespace goro {
namespace {

constexpr std::size_t kSmallest = kStackCacheSize;  // a block
constexpr std::size_t kReach = std::size_t{16} << 20;

class PageHeap : public ::testing::Test {
 protected:
  void TearDown() override { page_heap_reset(); }
};

void fill(std::uintptr_t at, std::size_t bytes, int with) {
  std::memset(reinterpret_cast<void*>(at), with, bytes);
}

bool is_filled(std::uintptr_t at, std::size_t bytes, unsigned char with) {
  const auto* byte = reinterpret_cast<const unsigned char*>(at);
  return byte[0] == with && std::memcmp(byte, byte + 1, bytes - 1) == 0;
}

std::size_t resident(std::uintptr_t at, std::size_t bytes) {
  std::vector<unsigned char> pages(bytes / kPhysPageSize);
  if (mincore(reinterpret_cast<void*>(at), bytes, pages.data()) != 0) return ~std::size_t{0};
  std::size_t count = 0;
  for (const unsigned char page : pages) count += page & 1;
  return count * kPhysPageSize;
}

// The upper end of a block that was extended to `bytes`, written, and not given back.
std::uintptr_t deep(std::size_t bytes) {
  const std::uintptr_t hi = page_heap_alloc(kSmallest) + kSmallest;
  EXPECT_TRUE(page_heap_extend(hi - kSmallest, kSmallest, bytes));
  fill(hi - bytes, bytes, 1);
  return hi;
}

TEST_F(PageHeap, ALargeBlockGrowsDownwards) {
  std::size_t bytes = kSmallest;
  std::uintptr_t at = page_heap_alloc(bytes);
  EXPECT_EQ(at % kSmallest, 0U);
  fill(at, bytes, 7);
  for (; bytes < kReach; bytes *= 2) {
    ASSERT_TRUE(page_heap_extend(at, bytes, bytes * 2)) << "from " << bytes;
    at -= bytes;
    fill(at, bytes, 7);
  }
  EXPECT_TRUE(is_filled(at, bytes, 7)) << "what was in it stays in it";
  EXPECT_FALSE(page_heap_extend(at, bytes, bytes * 2)) << "below lies another span";
  page_heap_free(at, bytes);
}

TEST_F(PageHeap, HugeBlocksStayAsTheyAre) {
  const std::uintptr_t large = page_heap_alloc(kSmallest);
  EXPECT_FALSE(page_heap_extend(large, kSmallest, kReach * 2)) << "a span is not so large";
  EXPECT_TRUE(page_heap_extend(large, kSmallest, kReach)) << "it was refused, and nothing changed";
  const std::uintptr_t huge = page_heap_alloc(kReach * 2);
  EXPECT_FALSE(page_heap_extend(huge, kReach * 2, kReach * 4)) << "it was mapped as it is";
  page_heap_free(large + kSmallest - kReach, kReach);
  page_heap_free(huge, kReach * 2);
}

// Where small stacks and what lies between them are, and that nothing lies on anything else.
TEST_F(PageHeap, SmallStacksLeaveGapsWhereNoneMayBe) {
  constexpr std::size_t kEach = std::size_t{8} << 20;
  std::vector<Stack> ranges;
  std::size_t gaps = 0;
  for (std::size_t bytes = kStackMin; bytes < kStackCacheSize; bytes *= 2) {
    for (std::size_t sum = 0; sum < kEach;) {
      const Stack span = page_heap_alloc_small(bytes);
      ASSERT_EQ(span.lo % kStackAlign, 0U);
      ASSERT_EQ(span.size() % bytes, 0U);
      ASSERT_GE(span.size(), bytes);
      ASSERT_LE(span.size(), kStackCacheSize);
      for (std::uintptr_t lo = span.lo; lo != span.hi; lo += bytes) {
        ASSERT_EQ(lo / kNoStackAcross, (lo + bytes - 1) / kNoStackAcross)
            << "a stack of " << bytes << " bytes lies across a multiple of 64 KB";
      }
      ranges.push_back(span);
      sum += span.size();
    }
    while (true) {
      const Stack gap = take_gap();
      if (gap.lo == 0) break;
      ASSERT_EQ(gap.lo % kCacheLine, 0U);
      ASSERT_GE(gap.size(), kStackMin);
      ranges.push_back(gap);
      gaps += gap.size();
    }
  }
  EXPECT_GT(gaps, kEach / 100) << "stacks step aside, and what they leave free is for others";
  std::sort(ranges.begin(), ranges.end(), [](Stack a, Stack b) { return a.lo < b.lo; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    ASSERT_LE(ranges[i - 1].hi, ranges[i].lo) << "two of them lie on each other";
  }
}

TEST_F(PageHeap, NeitherDoStacksThatAreCheckedLieAcross) {
  for (std::size_t bytes = kStackMin; bytes <= kNoStackAcross; bytes *= 2) {
    for (int i = 0; i < 20; ++i) {
      const Stack stack = stackcheck_alloc(bytes);
      EXPECT_EQ(stack.lo / kNoStackAcross, (stack.hi - 1) / kNoStackAcross) << bytes << " bytes";
      fill(stack.lo, bytes, 1);
      stackcheck_free(stack);
    }
  }
}

TEST_F(PageHeap, LargeBlocksDoNotMeet) {
  std::vector<std::uintptr_t> his;
  for (int i = 0; i < 10; ++i) {
    his.push_back(page_heap_alloc(kSmallest) + kSmallest);
    const Stack small = page_heap_alloc_small(kStackMin);
    fill(small.lo, small.size(), 0x55);
    ASSERT_TRUE(page_heap_extend(his.back() - kSmallest, kSmallest, kReach));
    // Both ends of it: all of it would be memory.
    fill(his.back() - kReach, kPhysPageSize, i);
    fill(his.back() - kPhysPageSize, kPhysPageSize, i);
    EXPECT_TRUE(is_filled(small.lo, small.size(), 0x55)) << "a small block lies in a span";
  }
  for (int i = 0; i < 10; ++i) {
    const auto with = static_cast<unsigned char>(i);
    EXPECT_TRUE(is_filled(his[static_cast<std::size_t>(i)] - kReach, kPhysPageSize, with));
    EXPECT_TRUE(is_filled(his[static_cast<std::size_t>(i)] - kPhysPageSize, kPhysPageSize, with));
  }
}

TEST_F(PageHeap, ADeepRecursionFindsTheMemoryOfTheLast) {
  const std::uintptr_t hi = deep(kReach / 4);
  page_heap_free(hi - kReach / 4, kReach / 4);
  const std::uintptr_t at = page_heap_alloc(kSmallest);
  EXPECT_EQ(at + kSmallest, hi) << "what was given back last is handed out first";
  EXPECT_EQ(resident(hi - kReach / 4, kReach / 4), kReach / 4) << "its memory was given away";
}

TEST_F(PageHeap, ManyDeepRecursionsGiveTheirMemoryBack) {
  constexpr std::size_t kMost = 4 * kReach;
  constexpr std::size_t kSpans = 7;
  std::vector<std::uintptr_t> his;
  for (std::size_t i = 0; i < kSpans; ++i) his.push_back(deep(kReach));
  for (const std::uintptr_t hi : his) page_heap_free(hi - kReach, kReach);
  std::size_t sum = 0;
  for (const std::uintptr_t hi : his) {
    sum += resident(hi - kReach, kReach);
    EXPECT_EQ(resident(hi - kSmallest, kSmallest), kSmallest)
        << "stacks of 32 KB come and go: their pages stay";
  }
  EXPECT_LE(sum, kMost + kSpans * kSmallest) << "what nobody needs is given back but for 64 MB";
  EXPECT_GE(sum, kMost / 2) << "and some of it is kept for the next one";

  // In use, but for little: what they had counts, too.
  std::vector<std::uintptr_t> again;
  for (std::size_t i = 0; i < kSpans; ++i) again.push_back(page_heap_alloc(kSmallest));
  const std::uintptr_t hi = deep(kReach);
  page_heap_free(hi - kReach, kReach);
  sum = resident(hi - kReach, kReach);
  for (const std::uintptr_t at : again) sum += resident(at + kSmallest - kReach, kReach);
  EXPECT_LE(sum, kMost + (kSpans + 1) * kSmallest) << "small blocks hold the memory of large ones";
}

// As many goroutines with stacks of `bytes` as one likes; some of them can grow where they are.
int extended_of_a_thousand(std::size_t bytes) {
  int extended = 0;
  std::vector<std::uintptr_t> his;
  for (int i = 0; i < 1000; ++i) {
    const std::uintptr_t at = page_heap_alloc(bytes);
    EXPECT_EQ(at % (bytes < kNoStackAcross ? kStackAlign : kNoStackAcross), 0U);
    EXPECT_TRUE(bytes >= kNoStackAcross || at / kNoStackAcross == (at + bytes - 1) / kNoStackAcross)
        << "a block lies across a multiple of 64 KB";
    fill(at, bytes, 1);
    his.push_back(at + bytes);
  }
  for (const std::uintptr_t hi : his) {
    const bool possible = page_heap_extend(hi - bytes, bytes, bytes * 2);
    if (possible) ++extended;
    EXPECT_TRUE(is_filled(hi - bytes, bytes, 1)) << "blocks lie on each other";
    const std::size_t has = possible ? bytes * 2 : bytes;
    page_heap_free(hi - has, has);
  }
  return extended;
}

TEST_F(PageHeap, ThereAreFewSpans) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(extended_of_a_thousand(kSmallest), 64) << "the smallest leave half of them to others";
    EXPECT_EQ(extended_of_a_thousand(kSmallest * 2), 128)
        << "2 GB of addresses, and not a number that nobody who writes a core file can read";
  }
}

TEST_F(PageHeap, WhoCountsAddressesLendsAQuarter) {
  const testing::ChildEnd end = testing::in_child([] {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const std::size_t most = pages * kPhysPageSize * 2 + (std::size_t{512} << 20);
    rlimit limit{most, most};
    // An emulator keeps its own addresses out of its program's reach, and sets no limit.
    if (setrlimit(RLIMIT_AS, &limit) != 0 || getrlimit(RLIMIT_AS, &limit) != 0 ||
        limit.rlim_cur != most) {
      _exit(3);
    }
    const auto most_extended = static_cast<int>(std::min<std::size_t>(128, most / 4 / kReach));
    if (extended_of_a_thousand(kSmallest * 2) != most_extended) _exit(4);
    if (::testing::Test::HasFailure()) _exit(5);
  });
  if (end.status == 3) GTEST_SKIP() << "no limit can be set here";
  EXPECT_EQ(end.status, 0) << "4: too many or too few could be extended: " << end.told();
}

}  // namespace
}  // namespace goro
#endif
