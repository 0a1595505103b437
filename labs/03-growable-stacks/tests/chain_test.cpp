// Steps 9 and 10: over the seam and back, for functions that are entered with known registers and
// for ordinary ones.
#include <array>
#include <cstring>

#include "chained.h"

#if GORO_CHAINED_STACKS

extern "C" {

// What the functions below were given and what they found. Each is called on the base, wants a
// frame of 5,000 bytes and so runs on a segment.
constexpr int kMostWords = 12;
struct SeamArguments {
  std::uint64_t ran;
  std::uint64_t at_caller;  // where the stack arguments began
  std::uint64_t at_callee;  // and where the function found them
  std::uint64_t words[kMostWords];
};
SeamArguments lab03_arguments;

struct SeamResults {
  std::uint64_t rax;
  std::uint64_t rdx;
  std::uint8_t xmm0[16];
  std::uint8_t xmm1[16];
  std::int64_t st0;
  std::int64_t st1;
};
SeamResults lab03_result_in;
SeamResults lab03_result_out;
std::uint64_t lab03_callee_saved[5];

// Calls a function with the stack arguments 1, 2, … words.
void lab03_probe_stack_arguments(std::uint64_t words);
// Calls a function that calls `first` and then has the results of lab03_result_in.
void lab03_probe_results(void (*first)());
}

/* clang-format off */
asm(R"(
        .text
        .p2align 4
        .globl  lab03_probe_stack_arguments
        .type   lab03_probe_stack_arguments, @function
lab03_probe_stack_arguments:
        pushq   %rbp
        movq    %rsp, %rbp
        pushq   %rbx
        subq    $8, %rsp
        movq    %rdi, %rbx
        testl   $1, %edi
        je      1f
        subq    $8, %rsp                        # rsp is a multiple of 16 at the call
1:      testq   %rdi, %rdi
        je      2f
        pushq   %rdi
        decq    %rdi
        jmp     1b
2:      movq    %rsp, 8+lab03_arguments(%rip)
        movq    $5000, %r10
        leaq    (,%rbx,8), %r11
        callq   .Llab03_with_arguments
        leaq    -8(%rbp), %rsp
        popq    %rbx
        popq    %rbp
        retq
        .size   lab03_probe_stack_arguments, . - lab03_probe_stack_arguments

        .p2align 4
        .type   .Llab03_with_arguments, @function
.Llab03_with_arguments:
        callq   __morestack
        retq
        movq    $1, lab03_arguments(%rip)
        leaq    8(%rsp), %rax
        movq    %rax, 16+lab03_arguments(%rip)
        leaq    24+lab03_arguments(%rip), %rdx
        xorl    %ecx, %ecx
3:      cmpq    %rbx, %rcx
        jae     4f
        movq    (%rax,%rcx,8), %rsi
        movq    %rsi, (%rdx,%rcx,8)
        incq    %rcx
        jmp     3b
4:      retq
        .size   .Llab03_with_arguments, . - .Llab03_with_arguments

        .p2align 4
        .globl  lab03_probe_results
        .type   lab03_probe_results, @function
lab03_probe_results:
        pushq   %rbp
        movq    %rsp, %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $8, %rsp
        movl    $12, %r12d
        movl    $13, %r13d
        movl    $14, %r14d
        movl    $15, %r15d
        movq    %rdi, %rbx
        movq    $5000, %r10
        xorl    %r11d, %r11d
        callq   .Llab03_with_results
        leaq    lab03_result_out(%rip), %rcx
        movq    %rax, 0(%rcx)
        movq    %rdx, 8(%rcx)
        movups  %xmm0, 16(%rcx)
        movups  %xmm1, 32(%rcx)
        fistpll 48(%rcx)
        fistpll 56(%rcx)
        leaq    lab03_callee_saved(%rip), %rcx
        movq    %r12, 0(%rcx)
        movq    %r13, 8(%rcx)
        movq    %r14, 16(%rcx)
        movq    %r15, 24(%rcx)
        subq    %rsp, %rbp
        movq    %rbp, 32(%rcx)                  # 48 if rbp is what it was
        leaq    48(%rsp), %rbp
        addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        retq
        .size   lab03_probe_results, . - lab03_probe_results

        .p2align 4
        .type   .Llab03_with_results, @function
.Llab03_with_results:
        callq   __morestack
        retq
        pushq   %rbp                            # as a compiler does
        movq    %rsp, %rbp
        callq   *%rbx
        leaq    lab03_result_in(%rip), %rcx
        fildll  56(%rcx)
        fildll  48(%rcx)
        movq    0(%rcx), %rax
        movq    8(%rcx), %rdx
        movups  16(%rcx), %xmm0
        movups  32(%rcx), %xmm1
        popq    %rbp
        retq
        .size   .Llab03_with_results, . - .Llab03_with_results
)");
/* clang-format on */

namespace goro::testing {
namespace {

// What a goroutine's stack looks like at a place.
struct Place {
  Stack stack;
  std::uintptr_t guard = 0;  // G::stackguard0
  std::uintptr_t limit = 0;  // what prologues compare with
  std::uintptr_t kept = 0;   // the end of the segment that is chained to this one
  int count = 0;             // of all segments, with the base
  bool contains_sp = false;
};

[[gnu::always_inline]] inline std::uintptr_t prologue_limit() {
  std::uintptr_t limit = 0;
  asm volatile("movq %%fs:0x70, %0" : "=r"(limit));
  return limit;
}

[[gnu::always_inline]] inline void look_at(Place* place) {
  const G* gp = getg();
  place->stack = gp->stack;
  place->guard = gp->stackguard0.load();
  place->limit = prologue_limit();
  place->kept = stack_links(gp->stack)->newer;
  place->count = 0;
  for_each_segment(gp, [place](Stack) { ++place->count; });
  place->contains_sp =
      gp->stack.contains(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
}

// Whatever the assembly left behind, the goroutine is on its base: so that a mistake is reported
// and does not spread.
[[gnu::always_inline]] inline void be_on(const Place& base) {
  G* gp = getg();
  gp->stack = base.stack;
  gp->stackguard0.store(base.guard);
  asm volatile("movq %0, %%fs:0x70" : : "r"(base.limit) : "memory");
}

// Runs f about 70 bytes times `depth` further down.
template <typename F>
LAB_NOINLINE int down(int depth, F& f) {
  volatile int local = depth;
  if (depth == 0) {
    f();
    return 0;
  }
  return down(depth - 1, f) + local;
}

void call_nothing() {}

void go_deeper() {
  use_stack(1000);
}

// The base's place before and after `cross`, which goes over a seam and comes back.
struct ThereAndBack {
  Place before;
  Place after;
};

// sysmon, on a slow machine: then no limit is to be seen.
bool asked_to_give_way(const Place& place) {
  return place.guard == kStackPreempt || place.limit == kStackPreempt;
}

template <typename F>
ThereAndBack there_and_back(F cross) {
  constexpr int kTries = 20;
  ThereAndBack seen;
  for (int i = 0; i < kTries; ++i) {
    on_chained_stack([&seen, &cross] {
      look_at(&seen.before);
      cross();
      look_at(&seen.after);
      be_on(seen.before);
    });
    if (!asked_to_give_way(seen.before) && !asked_to_give_way(seen.after)) break;
  }
  return seen;
}

TEST(Chain, StackArgumentsComeAlong) {
  for (std::uint64_t words = 0; words <= kMostWords; ++words) {
    GORO_STEP("call a function with ", words, " words of arguments on the stack over a seam");
    lab03_arguments = {};
    const ThereAndBack seen = there_and_back([words] { lab03_probe_stack_arguments(words); });
    ASSERT_EQ(lab03_arguments.ran, 1U)
        << "the function's body never ran: it begins behind the `ret`";
    EXPECT_FALSE(seen.before.stack.contains(lab03_arguments.at_callee))
        << "the function wants 5,000 bytes of frame: it must run on a segment";
    for (std::uint64_t i = 0; i < words; ++i) {
      ASSERT_EQ(lab03_arguments.words[i], i + 1)
          << "stack argument " << i + 1 << " of " << words << " did not come along: the function "
          << "finds its arguments above its return address, on the segment";
    }
    if (words == 0) continue;
    EXPECT_EQ(lab03_arguments.at_callee % 64, lab03_arguments.at_caller % 64)
        << "an argument that is aligned to a cache line must be so on the segment, too";
  }
}

void expect_results(const std::string& how) {
  EXPECT_EQ(lab03_result_out.rax, lab03_result_in.rax) << "rax held a result" << how;
  EXPECT_EQ(lab03_result_out.rdx, lab03_result_in.rdx)
      << "rdx held the second word of a result" << how;
  EXPECT_EQ(std::memcmp(lab03_result_out.xmm0, lab03_result_in.xmm0, 16), 0)
      << "xmm0 held a floating-point result" << how;
  EXPECT_EQ(std::memcmp(lab03_result_out.xmm1, lab03_result_in.xmm1, 16), 0)
      << "xmm1 held the second half of a floating-point result" << how;
  EXPECT_EQ(lab03_result_out.st0, lab03_result_in.st0) << "st0 held a long double" << how;
  EXPECT_EQ(lab03_result_out.st1, lab03_result_in.st1)
      << "st1 held the imaginary part of a long double" << how;
  const std::array<std::uint64_t, 5> saved{12, 13, 14, 15, 48};
  const std::array<const char*, 5> names{"r12", "r13", "r14", "r15", "rbp"};
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_EQ(lab03_callee_saved[i], saved[i]) << names[i] << " belongs to the caller" << how;
  }
}

TEST(Chain, EveryKindOfResultComesBack) {
  lab03_result_in.rax = 0x1111'1111'1111'1111U;
  lab03_result_in.rdx = 0x2222'2222'2222'2222U;
  for (std::size_t i = 0; i < 16; ++i) {
    lab03_result_in.xmm0[i] = static_cast<std::uint8_t>(0x80 + i);
    lab03_result_in.xmm1[i] = static_cast<std::uint8_t>(0x90 + i);
  }
  lab03_result_in.st0 = 0x3333'3333'3333'3333;
  lab03_result_in.st1 = -4711;
  GORO_STEP("a function returns over a seam with a value in every register that holds results");
  lab03_result_out = {};
  there_and_back([] { lab03_probe_results(call_nothing); });
  expect_results(", and was lost on the way over the seam");
  GORO_STEP("the same, and there are newer segments to release on the way");
  lab03_result_out = {};
  there_and_back([] { lab03_probe_results(go_deeper); });
  expect_results(", and was lost when the newer segments were released");
}

TEST(Chain, OnASegmentItsOwnLimitHolds) {
  GORO_STEP("a goroutine looks at its stack and its limit from a segment");
  Place inside;
  const ThereAndBack seen = there_and_back([&inside] {
    auto look = [&inside] { look_at(&inside); };
    down(50, look);
  });
  EXPECT_NE(inside.stack.lo, seen.before.stack.lo) << "it should be on a segment here";
  EXPECT_TRUE(inside.contains_sp) << "G::stack is the segment that the stack pointer is in";
  if (asked_to_give_way(inside)) return;
  EXPECT_EQ(inside.guard, inside.stack.lo + kStackGuard) << "the G's limit is the segment's";
  EXPECT_EQ(inside.limit, inside.guard) << "prologues compare with the word at %fs:0x70";
}

TEST(Chain, TheOldLimitIsBackAfterTheReturn) {
  GORO_STEP("a function runs on a segment and returns");
  const ThereAndBack seen = there_and_back([] { lab03_probe_results(call_nothing); });
  EXPECT_EQ(seen.after.stack.lo, seen.before.stack.lo)
      << "the function has returned: G::stack is the older segment again";
  EXPECT_EQ(seen.after.guard, seen.before.guard)
      << "the limit of the older segment must be restored: with the newer one's, the goroutine "
         "either changes segments at every call or runs over its stack's end";
  EXPECT_EQ(seen.after.limit, seen.before.limit)
      << "the limit that prologues compare with, %fs:0x70, must be restored as well";
}

TEST(Chain, OneSegmentIsKeptForTheNextCall) {
  GORO_STEP("a function runs on a segment, returns, and is called again");
  Place first;
  Place second;
  on_chained_stack([&] {
    lab03_probe_results(call_nothing);
    look_at(&first);
    lab03_probe_results(call_nothing);
    look_at(&second);
  });
  EXPECT_NE(first.kept, 0U) << "a loop that calls over the seam would take a segment each time "
                               "round: keep the one that was left";
  EXPECT_EQ(second.kept, first.kept) << "the segment that was kept had room for the function";
}

TEST(Chain, WhatLiesFurtherIsGivenBack) {
  GORO_STEP("a goroutine recurses over many seams and comes back");
  Place deepest;
  const ThereAndBack seen = there_and_back([&deepest] {
    auto look = [&deepest] { look_at(&deepest); };
    down(20'000, look);
  });
  EXPECT_GT(deepest.count, 6) << "each segment is twice as large as the one before";
  EXPECT_EQ(seen.after.stack.lo, seen.before.stack.lo);
  EXPECT_EQ(seen.after.count, 2)
      << "the base and one kept segment: whatever is newer than the segment that a function leaves "
         "is released first";
}

LAB_NOINLINE int linked_frames(int depth, const int* caller, const int** first) {
  int local = depth;
  touch(&local);
  if (*first == nullptr) *first = &local;
  const int below = depth == 0 ? 0 : linked_frames(depth - 1, &local, first);
  touch(&local);
  return below + (caller == nullptr || *caller == depth + 1 ? 1 : 0) + local - depth;
}

TEST(Chain, NothingMoves) {
  constexpr int kDepth = 50'000;
  GORO_STEP("recurse ", kDepth, " deep with a pointer to the caller's local in each frame");
  int linked = 0;
  bool same_address = false;
  on_chained_stack([&] {
    int local = 4711;
    int* address = &local;
    touch(&address);
    const int* first = nullptr;
    linked = linked_frames(kDepth, nullptr, &first);
    touch(&address);
    same_address = address == &local && local == 4711;
  });
  EXPECT_EQ(linked, kDepth + 1) << "a frame lost its local, or its caller's";
  EXPECT_TRUE(same_address) << "an address of a local is good as long as the local is";
}

LAB_NOINLINE int asked_on_the_way(int depth, const int* caller) {
  int local = depth;
  touch(&local);
  // As sysmon or a stop of the world would: the next check calls the runtime.
  G* gp = getg();
  gp->stackguard0.store(kStackPreempt);
  if (auto* slot = gp->m->guard_slot.load(); slot != nullptr) slot->store(kStackPreempt);
  const int below = depth == 0 ? 0 : asked_on_the_way(depth - 1, &local);
  touch(&local);
  return below + (caller == nullptr || *caller == depth + 1 ? 1 : 0) + local - depth;
}

TEST(Chain, GoesOnWhileItIsAskedToGiveWayAtEveryCall) {
  constexpr int kDepth = 3000;
  GORO_STEP("two goroutines recurse ", kDepth,
            " deep; each asks itself to give way before each call");
  int one = 0;
  int two = 0;
  goro::run(
      [&] {
        WaitGroup group;
        group.go({.stack = chained()}, [out = &one] { *out = asked_on_the_way(kDepth, nullptr); });
        group.go({.stack = chained()}, [out = &two] { *out = asked_on_the_way(kDepth, nullptr); });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(one, kDepth + 1) << "a function that is asked to give way still needs its room";
  EXPECT_EQ(two, kDepth + 1);
}

// -- exceptions --

struct CountExit {
  int* count;
  ~CountExit() { ++*count; }
};

// Without destructors on the way, so that between two seams nobody needs a stack.
LAB_NOINLINE int throw_below_plain_frames(int depth) {
  volatile char room[2000];
  room[0] = 1;
  touch(&room);
  if (depth > 0) return throw_below_plain_frames(depth - 1) + room[0];
  throw 7;
}

// On the base, where an exception comes by first.
struct LookOnTheWay {
  const Place* base;
  Place* seen;
  ~LookOnTheWay() {
    look_at(seen);
    if (!seen->contains_sp) be_on(*base);
  }
};

LAB_NOINLINE int catch_on_the_base(const Place* base, Place* on_the_way) {
  try {
    const LookOnTheWay look{base, on_the_way};
    return throw_below_plain_frames(100);
  } catch (int value) {
    return value;
  }
}

// Frames of 2 KB, so that a few are many segments.
LAB_NOINLINE int throw_below(int depth, int* destroyed, int* seams) {
  const CountExit on_exit{destroyed};
  volatile char room[2000];
  room[0] = 1;
  touch(&room);
  if (depth > 0) return throw_below(depth - 1, destroyed, seams) + room[0];
  for (const StackSegment* at = stack_segment(getg()->stack); at != nullptr;
       at = stack_segment(at->older)) {
    ++*seams;
  }
  throw 7;
}

struct Caught {
  int value = 0;
  int destroyed = 0;
  int seams = 0;
};

LAB_NOINLINE void catch_from_below(int depth, Caught* caught) {
  try {
    throw_below(depth, &caught->destroyed, &caught->seams);
  } catch (int value) {
    caught->value = value;
  }
}

TEST(ChainExceptions, GiveTheirSegmentsBack) {
  GORO_STEP("throw from behind some seams, and catch on the base");
  int caught = 0;
  Place before;
  Place on_the_way;
  Place after;
  on_chained_stack([&] {
    look_at(&before);
    caught = catch_on_the_base(&before, &on_the_way);
    auto nothing = [] {};
    down(50, nothing);  // a return over a seam, the next occasion to give segments back
    look_at(&after);
  });
  EXPECT_EQ(caught, 7) << "the exception did not arrive";
  EXPECT_TRUE(on_the_way.contains_sp)
      << "the exception passed a seam, so the segment is left: in the destructor of a local on the "
         "base, G::stack must be the base. The segments leak otherwise, and the limit is wrong";
  if (!asked_to_give_way(on_the_way)) {
    EXPECT_EQ(on_the_way.limit, on_the_way.stack.lo + kStackGuard)
        << "leaving a segment restores the older one's limit, also when an exception does it";
  }
  EXPECT_LE(after.count, 2)
      << "what the exception left behind goes back with the next return over a seam";
}

TEST(ChainExceptions, PassAThousandSeams) {
  constexpr int kRounds = 200;
  constexpr int kDepth = 1000;
  GORO_STEP(kRounds, " times, throw from behind several seams");
  Caught caught;
  on_chained_stack([&caught] {
    for (int round = 0; round < kRounds; ++round) catch_from_below(kDepth, &caught);
  });
  EXPECT_EQ(caught.value, 7);
  EXPECT_EQ(caught.destroyed, kRounds * (kDepth + 1)) << "every frame's destructor runs once";
  EXPECT_GE(caught.seams, 1000);
}

// On the base: how does it look when everything below has been unwound?
struct LookOnExit {
  int* count;
  int* elsewhere;
  ~LookOnExit() {
    Place place;
    look_at(&place);
    if (!place.contains_sp) ++*elsewhere;
    ++*count;
  }
};

TEST(ChainExceptions, GoexitPassesSeams) {
  constexpr int kGoroutines = 50;
  GORO_STEP(kGoroutines, " goroutines call exit_goroutine() behind some seams");
  int destroyed = 0;
  int elsewhere = 0;
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go({.stack = chained()}, [count = &destroyed, wrong = &elsewhere] {
            const LookOnExit on_exit{count, wrong};
            volatile bool now = true;
            auto leave = [&now] {
              if (now) exit_goroutine();
            };
            down(300, leave);
          });
        }
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(destroyed, kGoroutines) << "each goroutine's destructors run before it ends";
  EXPECT_EQ(elsewhere, 0)
      << "destructors ran on another segment than G::stack: the unwinder passed "
         "a seam for exit_goroutine(), and nobody left the segment";
}

}  // namespace
}  // namespace goro::testing
#endif
