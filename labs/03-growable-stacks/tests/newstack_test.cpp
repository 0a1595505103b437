// Step 5: newstack, called as __morestack and _mcount call it, but without them.
#include "contracts/context_switch.h"
#include "support.h"

#if GORO_GROWABLE_STACKS
namespace goro::testing {
namespace {

// What to ask newstack for, and what it met. The goroutine's own locals would move.
struct Ask {
  std::size_t bytes = 0;
  bool foreign = false;
  Stack before;
  std::uintptr_t sp = 0;
};
Ask ask;

void call_newstack(G* gp) {
  ask.before = gp->stack;
  ask.sp = gp->sched.sp;
  newstack(gp, ask.bytes, ask.foreign);
}

// The size by the contract's rule.
std::size_t expected_size(const Ask& a) {
  const std::uintptr_t guard = a.before.lo + kStackGuard;
  if (a.sp >= guard && a.sp - guard >= a.bytes) return a.before.size();
  std::size_t size = a.before.size() * 2;
  while (size - (a.before.hi - a.sp) < a.bytes + kStackGuard) size *= 2;
  return size;
}

struct After {
  Stack stack;
  std::uintptr_t guard = 0;
  std::uint32_t status = 0;
  bool local_is_whole = false;
};

// On a goroutine: asks, and looks at what it finds afterwards.
LAB_NOINLINE void ask_newstack(After* after) {
  int local = 4711;
  int* pointer = &local;
  touch(&pointer);
  goro_mcall(call_newstack);
  touch(&pointer);
  const G* gp = getg();
  after->stack = gp->stack;
  after->guard = gp->stackguard0.load();
  after->status = gp->atomicstatus.load();
  after->local_is_whole = pointer == &local && *pointer == 4711;
}

TEST(NewStack, DoublesUntilTheFrameFits) {
  for (const std::size_t bytes : {2000, 3000, 10'000, 100'000, 1'000'000}) {
    GORO_STEP("a new goroutine asks for ", bytes, " bytes more");
    ask = Ask{bytes, false, {}, 0};
    After after;
    on_small_stack([&] { ask_newstack(&after); });
    EXPECT_GE(after.stack.size(), expected_size(ask))
        << "one doubling may not be enough: the function that asked does not check a second time, "
           "so "
           "the frame must fit at once";
    EXPECT_LE(after.stack.size(), expected_size(ask)) << "the stack is larger than it needs to be";
    EXPECT_TRUE(after.local_is_whole) << "a local, or a pointer to it, was spoiled by the move";
    EXPECT_EQ(after.guard, after.stack.lo + kStackGuard) << "the guard belongs to the new stack";
    EXPECT_EQ(after.status, static_cast<std::uint32_t>(GStatus::running))
        << "through copystack and back: a goroutine that goes on is running";
  }
}

TEST(NewStack, LeavesAStackThatHasRoom) {
  GORO_STEP("a new goroutine asks for 16 bytes, which are there");
  ask = Ask{16, false, {}, 0};
  After after;
  on_small_stack([&] { ask_newstack(&after); });
  EXPECT_EQ(after.stack.lo, ask.before.lo) << "there was room: nothing had to move";
  EXPECT_EQ(after.stack.size(), kStackMin);
}

TEST(NewStack, AFixedStackMayRunForeignCodeToItsEnd) {
  GORO_STEP("a goroutine on a fixed stack asks for more than it has, for foreign code");
  ask = Ask{std::size_t{1} << 20, true, {}, 0};
  After after;
  goro::run(
      [&] {
        WaitGroup group;
        After* out = &after;
        group.go({.stack = fixed_stack(32 << 10)}, [out] { ask_newstack(out); });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(after.stack.lo, ask.before.lo)
      << "a fixed stack does not grow, and for foreign code its guard page is the limit";
  EXPECT_TRUE(after.local_is_whole);
}

// What ran, in order.
struct Order {
  int next = 0;
  int other = 0;
  int self = 0;
};

LAB_NOINLINE void be_asked(Order* order, After* after) {
  yield();  // away from the slice in which the global queue has the first word
  go({.unchecked = true}, [order] { order->other = ++order->next; });
  getg()->stackguard0.store(kStackPreempt);
  ask_newstack(after);
  order->self = ++order->next;
}

TEST(NewStack, GivesWayWhenItWasAsked) {
  GORO_STEP("goroutine A starts B; somebody asks A to give way; A comes to a check");
  ask = Ask{};
  Order order;
  After after;
  on_small_stack([&] { be_asked(&order, &after); });
  EXPECT_EQ(order.other, 1) << "A was asked to give way, so B must have run before A went on";
  EXPECT_EQ(order.self, 2) << "A goes on afterwards";
  EXPECT_EQ(after.guard, after.stack.lo + kStackGuard)
      << "the request is answered: the real guard must be back, or A gives way at every call";
}

TEST(NewStack, GrowsBeforeItGivesWay) {
  GORO_STEP("the same, but A's function also wants 10,000 bytes");
  ask = Ask{10'000, false, {}, 0};
  Order order;
  After after;
  on_small_stack([&] { be_asked(&order, &after); });
  EXPECT_EQ(order.other, 1) << "A was asked to give way, so B must have run before A went on";
  EXPECT_GE(after.stack.size(), 16'384U) << "the function that called us does not check again when "
                                            "A goes on: it must have its room by then";
  EXPECT_TRUE(after.local_is_whole);
}

TEST(NewStack, PastTheLargestStackIsAnOverflow) {
  GORO_STEP("a goroutine grows once, on the test's own account");
  ask = Ask{4000, false, {}, 0};
  After after;
  on_small_stack([&] { ask_newstack(&after); });
  GORO_STEP("in a child process with max_stack = 65,536, a goroutine asks for 40,000 bytes");
  ask = Ask{40'000, false, {}, 0};
  ChildEnd end = in_child(
      [&] { on_small_stack([&] { ask_newstack(&after); }, {.procs = 1, .max_stack = 65'536}); });
  EXPECT_EQ(end.status, 0) << "65,536 bytes are allowed, and 40,000 fit into them:\n" << end.err;
  GORO_STEP("and asks for 70,000");
  ask.bytes = 70'000;
  end = in_child(
      [&] { on_small_stack([&] { ask_newstack(&after); }, {.procs = 1, .max_stack = 65'536}); });
  EXPECT_EQ(end.status, 2) << "a stack overflow ends the program with status 2:\n" << end.err;
  EXPECT_NE(end.err.find("runtime: goroutine stack exceeds 65536-byte limit"), std::string::npos)
      << "the first line of a stack overflow names the limit:\n"
      << end.err;
  EXPECT_NE(end.err.find("fatal error: stack overflow"), std::string::npos) << end.err;
  GORO_STEP("and asks for nearly all of the address space");
  ask.bytes = ~std::size_t{0} / 2;
  end = in_child(
      [&] { on_small_stack([&] { ask_newstack(&after); }, {.procs = 1, .max_stack = 65'536}); });
  EXPECT_EQ(end.status, 2) << "a sum that wraps around must not look as if the frame fitted:\n"
                           << end.err;
}

}  // namespace
}  // namespace goro::testing
#endif
