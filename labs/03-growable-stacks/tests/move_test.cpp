// Steps 3, 4 and 7, without a running goroutine: what happens to the bytes of a stack.
#include <cstring>
#include <utility>

#include "support.h"

namespace goro::testing {
namespace {

std::uintptr_t address_of(const std::uintptr_t* word) {
  return reinterpret_cast<std::uintptr_t>(word);
}

std::size_t adjust(std::vector<std::uintptr_t>* words, Stack old, std::uintptr_t distance) {
  return adjust_pointers(address_of(words->data()), address_of(words->data() + words->size()), old,
                         distance);
}

constexpr Stack kOld{0x7f0000010000, 0x7f0000010800};

TEST(AdjustPointers, AddsTheDistanceToAddressesInTheStack) {
  GORO_STEP("five words: a number, an address near lo, a number, one in the middle, one near hi");
  std::vector<std::uintptr_t> words{7, kOld.lo + 8, 0, kOld.lo + 0x123, kOld.hi - 1};
  const std::size_t changed = adjust(&words, kOld, 0x100000);
  EXPECT_EQ(words[0], 7U) << "7 is no address in the stack and must stay";
  EXPECT_EQ(words[1], kOld.lo + 8 + 0x100000) << "an address near lo moves with the stack";
  EXPECT_EQ(words[2], 0U) << "a null pointer must stay null";
  EXPECT_EQ(words[3], kOld.lo + 0x123 + 0x100000)
      << "an address need not be a multiple of 8: it may point at a char";
  EXPECT_EQ(words[4], kOld.hi - 1 + 0x100000) << "an address near hi moves with the stack";
  EXPECT_EQ(changed, 3U) << "adjust_pointers returns how many words it changed";
}

TEST(AdjustPointers, TheRangeIsHalfOpen) {
  GORO_STEP("words lo - 1, lo, hi - 1, hi");
  std::vector<std::uintptr_t> words{kOld.lo - 1, kOld.lo, kOld.hi - 1, kOld.hi};
  const std::size_t changed = adjust(&words, kOld, 0x40);
  EXPECT_EQ(words[0], kOld.lo - 1) << "lo - 1 is a neighbour's address, not this stack's";
  EXPECT_EQ(words[1], kOld.lo + 0x40) << "lo is the first address of the range";
  EXPECT_EQ(words[2], kOld.hi - 1 + 0x40) << "hi - 1 is the last address of the range";
  EXPECT_EQ(words[3], kOld.hi) << "hi is outside of the range: no local ends there";
  EXPECT_EQ(changed, 2U);
}

TEST(AdjustPointers, TouchesOnlyTheWordsItIsGiven) {
  GORO_STEP("ten words that all hold an address in the stack; adjust numbers 3 to 6");
  std::vector<std::uintptr_t> words(10, kOld.lo + 16);
  const std::size_t changed =
      adjust_pointers(address_of(&words[3]), address_of(&words[7]), kOld, 64);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool inside = i >= 3 && i < 7;
    EXPECT_EQ(words[i], kOld.lo + 16 + (inside ? 64 : 0))
        << "word " << i << (inside ? " is in the range [from, to)" : " is outside of [from, to)");
  }
  EXPECT_EQ(changed, 4U);
  GORO_STEP("adjust no words at all");
  EXPECT_EQ(adjust_pointers(address_of(words.data()), address_of(words.data()), kOld, 64), 0U);
  EXPECT_EQ(words[0], kOld.lo + 16) << "an empty range was changed";
}

TEST(AdjustPointers, GoesDownAsWellAsUp) {
  GORO_STEP("a distance below zero: the new stack lies at a lower address");
  std::vector<std::uintptr_t> words{kOld.lo, kOld.lo + 100, kOld.hi - 8};
  const std::uintptr_t down = std::uintptr_t{0} - 0x20000;
  EXPECT_EQ(adjust(&words, kOld, down), 3U);
  EXPECT_EQ(words[0], kOld.lo - 0x20000);
  EXPECT_EQ(words[1], kOld.lo + 100 - 0x20000);
  EXPECT_EQ(words[2], kOld.hi - 8 - 0x20000);
}

TEST(AdjustPointers, AgreesWithASlowOne) {
  const std::uint64_t seed = testing::seed();
  std::mt19937_64 random(seed);
  GORO_STEP("1,000 words, half of them in or next to the stack, others anywhere");
  std::vector<std::uintptr_t> words;
  for (int i = 0; i < 1000; ++i) {
    const std::uintptr_t near = kOld.lo - 64 + random() % (kOld.size() + 128);
    words.push_back(random() % 2 == 0 ? near : random());
  }
  std::vector<std::uintptr_t> expected = words;
  std::size_t count = 0;
  for (std::uintptr_t& word : expected) {
    if (word < kOld.lo || word >= kOld.hi) continue;
    word += 0x1234'0000;
    ++count;
  }
  EXPECT_EQ(adjust(&words, kOld, 0x1234'0000), count) << "seed " << seed;
  for (std::size_t i = 0; i < words.size(); ++i) {
    ASSERT_EQ(words[i], expected[i]) << "word " << i << ", seed " << seed;
  }
}

TEST(CopyStack, TheUsedPartIsAtTheTop) {
  StackWorld world;
  constexpr std::size_t kUsed = 1000;
  G* gp = world.goroutine(kStackMin, kUsed, GStatus::copystack);
  GORO_STEP("a stack of ", kStackMin, " bytes with ", kUsed, " in use moves to one of ",
            kStackMin * 2);
  copystack(gp, kStackMin * 2);
  EXPECT_EQ(gp->stack.size(), kStackMin * 2) << "gp->stack must be the new stack";
  EXPECT_EQ(gp->stack.hi - gp->sched.sp, kUsed)
      << "sched.sp keeps its distance from hi: the used part is at the top";
  for (std::size_t i = 0; i < kUsed / 8; ++i) {
    ASSERT_EQ(*StackWorld::word(gp, i), i + 1)
        << "the word " << i * 8
        << " bytes below hi was not copied to the same place below the new hi";
  }
}

TEST(CopyStack, PointersFollowTheStack) {
  StackWorld world;
  constexpr std::size_t kUsed = 800;
  G* gp = world.goroutine(kStackMin, kUsed, GStatus::copystack);
  GORO_STEP("the lowest words in use hold the addresses of the highest, and the other way round");
  const std::size_t last = kUsed / 8 - 1;
  *StackWorld::word(gp, last) = address_of(StackWorld::word(gp, 0));
  *StackWorld::word(gp, 0) = address_of(StackWorld::word(gp, last));
  *StackWorld::word(gp, 2) = reinterpret_cast<std::uintptr_t>(gp);
  copystack(gp, kStackMin * 4);
  EXPECT_EQ(*StackWorld::word(gp, last), address_of(StackWorld::word(gp, 0)))
      << "the lowest word in use, at sched.sp itself, held an address of the stack: it is the "
         "first of "
         "the registers that were saved there, and must be relocated like every other word";
  EXPECT_EQ(*StackWorld::word(gp, 0), address_of(StackWorld::word(gp, last)))
      << "the highest word in use must be relocated too";
  EXPECT_EQ(*StackWorld::word(gp, 2), reinterpret_cast<std::uintptr_t>(gp))
      << "an address that is not in the stack must stay";
}

TEST(CopyStack, OnlyWhatIsInUseIsAnAddress) {
  StackWorld world;
  constexpr std::size_t kUsed = 800;
  G* gp = world.goroutine(kStackMin, kUsed, GStatus::copystack);
  GORO_STEP("words that hold stack.lo, one below sp, sp itself, and hi");
  const Stack old = gp->stack;
  const std::uintptr_t sp = gp->sched.sp;
  *StackWorld::word(gp, 1) = old.lo;
  *StackWorld::word(gp, 2) = sp - 1;
  *StackWorld::word(gp, 3) = sp;
  *StackWorld::word(gp, 4) = old.hi;
  copystack(gp, kStackMin * 4);
  EXPECT_EQ(*StackWorld::word(gp, 1), old.lo)
      << "stack.lo is below sp. Nothing there is in use, so this is no address: it may be two "
         "bools "
         "in half of a word that was an address before, and then they would change";
  EXPECT_EQ(*StackWorld::word(gp, 2), sp - 1) << "nothing below sp is in use";
  EXPECT_EQ(*StackWorld::word(gp, 3), gp->sched.sp) << "at sp begins what is in use";
  EXPECT_EQ(*StackWorld::word(gp, 4), old.hi) << "hi is above the last byte in use";
}

TEST(CopyStack, TheGuardMovesWithTheStack) {
  StackWorld world;
  G* gp = world.goroutine(kStackMin, 640, GStatus::copystack);
  GORO_STEP("move a stack whose guard is stack.lo + kStackGuard");
  copystack(gp, kStackMin * 2);
  EXPECT_EQ(gp->stackguard0.load(), gp->stack.lo + kStackGuard)
      << "the guard must be that of the new stack; the old one's lets the goroutine run into "
         "memory that "
         "is not its own";
}

TEST(CopyStack, ARequestToGiveWaySurvivesTheMove) {
  StackWorld world;
  G* gp = world.goroutine(kStackMin, 640, GStatus::copystack);
  GORO_STEP(
      "somebody asked the goroutine to give way (stackguard0 is kStackPreempt); its stack moves");
  gp->stackguard0.store(kStackPreempt);
  copystack(gp, kStackMin * 2);
  EXPECT_EQ(gp->stackguard0.load(), kStackPreempt)
      << "a request to give way that comes during a move must not be lost with the old guard";
}

TEST(CopyStack, TheOldStackIsFreed) {
  StackWorld world;
  G* gp = world.goroutine(kStackMin, 640, GStatus::copystack);
  const Stack old = gp->stack;
  GORO_STEP("move a stack of ", kStackMin, " bytes, then allocate one of that size");
  copystack(gp, kStackMin * 2);
  EXPECT_EQ(stackalloc(world.p(), kStackMin).lo, old.lo)
      << "the old stack goes to the P's cache and is first in line there";
}

TEST(CopyStack, AlignmentIsKept) {
  StackWorld world;
  for (const std::size_t used : {std::size_t{512}, std::size_t{520}, std::size_t{1000}}) {
    G* gp = world.goroutine(kStackMin, used, GStatus::copystack);
    const std::uintptr_t before = gp->sched.sp % kStackAlign;
    GORO_STEP("move a stack with ", used, " bytes in use");
    copystack(gp, kStackMin * 8);
    EXPECT_EQ(gp->sched.sp % kStackAlign, before)
        << "a frame that was aligned to " << kStackAlign << " must be so on the new stack";
  }
}

#if GORO_GROWABLE_STACKS
constexpr std::size_t kLarge = std::size_t{32} << 10;  // from here on there is room below

// Everything that extendstack must leave alone.
void expect_as_it_was(const G* gp, Stack old, std::uintptr_t sp, std::size_t used) {
  EXPECT_EQ(gp->stack.hi, old.hi) << "the upper end stays: everything in use is counted from there";
  EXPECT_EQ(gp->sched.sp, sp) << "nothing moved, so sched.sp is what it was";
  for (std::size_t i = 0; i < used / 8; ++i) {
    ASSERT_EQ(*StackWorld::word(gp, i), i + 1)
        << "the word " << i * 8 << " bytes below hi changed, and nobody moved it";
  }
}

TEST(ExtendStack, OnlyTheLowerEndChanges) {
  StackWorld world;
  constexpr std::size_t kUsed = 20'000;
  G* gp = world.goroutine(kLarge, kUsed, GStatus::copystack);
  const Stack old = gp->stack;
  const std::uintptr_t sp = gp->sched.sp;
  GORO_STEP("a stack of ", kLarge, " bytes with ", kUsed, " in use is made twice as large");
  if (!extendstack(gp, kLarge * 2)) {
    EXPECT_EQ(gp->stack.lo, old.lo) << "extendstack said no, so nothing may have changed";
    return;
  }
  expect_as_it_was(gp, old, sp, kUsed);
  ASSERT_EQ(gp->stack.size(), kLarge * 2) << "extendstack said yes: gp->stack must be so large";
  EXPECT_EQ(gp->stackguard0.load(), gp->stack.lo + kStackGuard)
      << "the guard is that of the larger stack, or each check goes on finding too little room";
  std::memset(reinterpret_cast<void*>(gp->stack.lo), 0xa5, kLarge);

  GORO_STEP("somebody asked the goroutine to give way, and the stack is made twice as large again");
  gp->stackguard0.store(kStackPreempt);
  ASSERT_TRUE(extendstack(gp, kLarge * 4)) << "it could be made larger before";
  EXPECT_EQ(gp->stackguard0.load(), kStackPreempt)
      << "a request to give way that comes meanwhile must not be lost with the old guard";
  expect_as_it_was(gp, old, sp, kUsed);

  GORO_STEP("the goroutine waits with less than a quarter in use, and its stack shrinks");
  gp->stackguard0.store(gp->stack.lo + kStackGuard);
  gp->atomicstatus.store(static_cast<std::uint32_t>(GStatus::waiting));
  EXPECT_TRUE(shrinkstack(gp)) << "a stack that grew where it was shrinks like every other";
  EXPECT_EQ(gp->stack.size(), kLarge * 2);
  expect_as_it_was(gp, gp->stack, gp->stack.hi - kUsed, kUsed);
}

TEST(ExtendStack, LeavesTheStackWhereThereIsNoRoom) {
  for (const auto& [bytes, size] : {std::pair{kLarge / 2, kLarge}, {kLarge, kLarge << 10}}) {
    StackWorld world;
    constexpr std::size_t kUsed = 8'000;
    G* gp = world.goroutine(bytes, kUsed, GStatus::copystack);
    const Stack old = gp->stack;
    const std::uintptr_t sp = gp->sched.sp;
    GORO_STEP("a stack of ", bytes, " bytes is to have ", size, ": the page heap has no room");
    EXPECT_FALSE(extendstack(gp, size)) << "what page_heap_extend says decides: this memory is "
                                           "somebody else's, and the stack must be copied";
    EXPECT_EQ(gp->stack.lo, old.lo) << "page_heap_extend said no, so lo stays where it is";
    EXPECT_EQ(gp->stackguard0.load(), old.lo + kStackGuard) << "and so does the guard";
    expect_as_it_was(gp, old, sp, kUsed);
    gp->stack = old;
  }
}
#endif

TEST(ShrinkStack, HalvesWhenLessThanAQuarterIsInUse) {
  StackWorld world;
  constexpr std::size_t kSize = kStackMin * 4;
  // The largest use at which the stack shrinks: used + kStackGuard < size / 4.
  constexpr std::size_t kQuarter = kSize / 4 - kStackGuard;
  G* gp = world.goroutine(kSize, kQuarter - 8, GStatus::waiting);
  GORO_STEP(kSize, " bytes, ", kQuarter - 8, " in use: with the guard 8 less than a quarter");
  EXPECT_TRUE(shrinkstack(gp)) << "less than a quarter is in use: the stack is to be halved";
  EXPECT_EQ(gp->stack.size(), kSize / 2) << "halved, not more";
  EXPECT_EQ(gp->stack.hi - gp->sched.sp, kQuarter - 8) << "what is in use stays in use";
  for (std::size_t i = 0; i < (kQuarter - 8) / 8; ++i) {
    ASSERT_EQ(*StackWorld::word(gp, i), i + 1) << "content lost " << i * 8 << " bytes below hi";
  }
  EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::waiting))
      << "after the move the goroutine waits again";
}

TEST(ShrinkStack, LeavesAStackThatIsAQuarterInUse) {
  StackWorld world;
  constexpr std::size_t kSize = kStackMin * 4;
  G* gp = world.goroutine(kSize, kSize / 4 - kStackGuard, GStatus::waiting);
  const Stack before = gp->stack;
  GORO_STEP(kSize, " bytes of which, with the guard, a quarter is in use");
  EXPECT_FALSE(shrinkstack(gp)) << "a quarter is in use (kStackGuard counts): halving would leave "
                                   "too little room, and the next "
                                   "call would double the stack again";
  EXPECT_EQ(gp->stack.lo, before.lo) << "the stack must stay where it is";
  EXPECT_EQ(gp->stack.size(), kSize);
  EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::waiting));
}

TEST(ShrinkStack, NeverBelowTheSmallest) {
  StackWorld world;
  G* gp = world.goroutine(kStackMin, 64, GStatus::waiting);
  const Stack before = gp->stack;
  GORO_STEP("a stack of ", kStackMin, " bytes, 64 in use");
  EXPECT_FALSE(shrinkstack(gp)) << "there is no stack smaller than " << kStackMin;
  EXPECT_EQ(gp->stack.lo, before.lo);
  EXPECT_EQ(gp->stack.size(), kStackMin);
}

TEST(ShrinkStack, LeavesFixedStacksAlone) {
  StackWorld world;
  G* gp = world.goroutine(kStackMin * 8, 64, GStatus::waiting);
  gp->stack_kind = StackKind::fixed;
  const Stack before = gp->stack;
  GORO_STEP("a fixed stack of ", kStackMin * 8, " bytes, 64 in use");
  EXPECT_FALSE(shrinkstack(gp)) << "a fixed stack never moves: that is its promise";
  EXPECT_EQ(gp->stack.lo, before.lo);
}

}  // namespace
}  // namespace goro::testing
