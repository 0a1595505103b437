// Step 4: a function call on g0's stack.
#include <unwind.h>

#include "by_hand.h"

namespace goro::lab01 {
namespace {

std::uint64_t an_object;

TEST(Systemstack, RunsOnG0AndComesBack) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  by_hand.m()->curg.store(gp);
  const std::uintptr_t g0_sp = by_hand.g0()->sched.sp;
  lab01_capture_next = return_to_caller;
  GORO_STEP("call goro_systemstack(fn, arg) on a goroutine");
  const Registers after =
      by_hand.probe(gp, known_values(), as_function(goro_systemstack), capture(), &an_object);
  ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
  EXPECT_EQ(lab01_captured.arg, reinterpret_cast<std::uint64_t>(&an_object))
      << "fn must get its argument";
  EXPECT_EQ(lab01_captured.g, by_hand.g0())
      << "while fn runs, g0 must be the current goroutine (SETG)";
  EXPECT_EQ(limit_seen_by_prologues(by_hand.g0(), lab01_captured.limit), 0U)
      << "on g0 the limit must be 0 (SETGUARD)";
  EXPECT_LE(lab01_captured.sp, g0_sp) << "fn must run on g0's stack, below g0->sched.sp";
  EXPECT_EQ(lab01_captured.sp % 16, kAlignmentAtEntry) << kAlignmentRule;
  EXPECT_GT(lab01_captured.sp + 256, g0_sp) << "fn must run directly below g0->sched.sp";
  GORO_STEP("look at the goroutine when it has returned");
  EXPECT_EQ(by_hand.current_after(), gp) << "the goroutine must be current again";
  EXPECT_EQ(limit_seen_by_prologues(gp, after.limit), kThreadLimit)
      << "the goroutine's own limit must be back";
  EXPECT_EQ(after.sp, lab01_home) << "the stack pointer must be the caller's again";
  EXPECT_EQ(by_hand.m()->curg.load(), gp) << "the goroutine stays in M::curg all the time";
  EXPECT_EQ(by_hand.g0()->sched.sp, g0_sp) << "g0's saved stack pointer must stay";
}

TEST(Systemstack, KeepsEveryCalleeSavedRegister) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  lab01_capture_next = return_to_caller;
  for (int round = 1; round <= 100; ++round) {
    Registers before = known_values();
    before.control = rounding(Rounding::up);
    const Registers after =
        by_hand.probe(gp, before, as_function(goro_systemstack), capture(), &an_object);
    const std::string wrong = differences(before, after, lab01_home);
    if (wrong.empty()) continue;
    GORO_STEP(
        "load a known value into every callee-saved register and call goro_systemstack(fn, arg)");
    GORO_STEP("look at the registers when it has returned (time number ", round, ")");
    LAB01_ASSERT_NO_DIFFERENCE(
        wrong,
        "to its caller goro_systemstack is a function like any other: what it uses of "
        "the callee-saved registers it must put back");
  }
}

TEST(Systemstack, ReadsTheLimitAgain) {
  ByHand by_hand;
  static G* gp;
  gp = by_hand.this_stack_as_goroutine();
  lab01_capture_next = [] { gp->stackguard0.store(kStackPreempt, std::memory_order_relaxed); };
  GORO_STEP(
      "call goro_systemstack(fn, arg); while fn runs, somebody writes kStackPreempt into the "
      "goroutine's stackguard0");
  const Registers after =
      by_hand.probe(gp, known_values(), as_function(goro_systemstack), capture(), &an_object);
  EXPECT_EQ(limit_seen_by_prologues(gp, after.limit), kStackPreempt)
      << "the limit must be read from stackguard0 again after fn: this goroutine was asked to give "
         "way, "
         "and a limit kept from before would lose the request";
}

TEST(Systemstack, IsAPlainCallOnG0) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  static std::uint64_t outer_sp;
  static G* after_inner;
  // fn calls goro_systemstack itself; the second capture returns at once.
  lab01_capture_next = [] {
    outer_sp = lab01_captured.sp;
    lab01_capture_next = return_to_caller;
    goro_systemstack(reinterpret_cast<void (*)(void*)>(&lab01_capture), &after_inner);
    after_inner = getg();
  };
  GORO_STEP("call goro_systemstack on a goroutine, and from there goro_systemstack again");
  const Registers before = known_values();
  const Registers after =
      by_hand.probe(gp, before, as_function(goro_systemstack), capture(), &an_object);
  EXPECT_EQ(lab01_captured.calls, 2U) << "both functions must be called";
  EXPECT_EQ(lab01_captured.arg, reinterpret_cast<std::uint64_t>(&after_inner))
      << "the inner function must get its own argument";
  EXPECT_LT(lab01_captured.sp, outer_sp) << "the inner call must go on below the outer one: "
                                            "starting at g0->sched.sp again would overwrite "
                                            "frames that are in use";
  EXPECT_EQ(lab01_captured.g, by_hand.g0()) << "in the inner function g0 is current";
  EXPECT_EQ(after_inner, by_hand.g0()) << "behind the inner call we are still on g0";
  EXPECT_EQ(by_hand.current_after(), gp) << "behind the outer call the goroutine is current again";
  LAB01_EXPECT_NO_DIFFERENCE(differences(before, after, lab01_home),
                             "and every register is as it was");
}

TEST(Systemstack, IsAPlainCallOutsideTheRuntime) {
  ByHand by_hand;
  lab01_capture_next = return_to_caller;
  const Registers before = known_values();
  GORO_STEP(
      "call goro_systemstack(fn, arg) on a thread that is not the runtime's (getg() is null)");
  const Registers after =
      by_hand.probe(nullptr, before, as_function(goro_systemstack), capture(), &an_object);
  ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
  EXPECT_EQ(lab01_captured.arg, reinterpret_cast<std::uint64_t>(&an_object))
      << "fn must get its argument";
  EXPECT_LE(lab01_captured.sp, lab01_home) << "fn must run on the caller's stack";
  EXPECT_GT(lab01_captured.sp + 256, lab01_home) << "fn must run on the caller's stack";
  EXPECT_EQ(lab01_captured.g, nullptr) << "no goroutine is current there";
  EXPECT_EQ(by_hand.current_after(), nullptr);
  LAB01_EXPECT_NO_DIFFERENCE(differences(before, after, lab01_home),
                             "every register must be as it was");
}

struct Trace {
  static constexpr int kMost = 100;
  std::uintptr_t pc[kMost];
  int count = 0;
};
Trace trace;
std::uintptr_t callers_pc;

void walk(void*) {
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void*) {
        if (trace.count == Trace::kMost) return _URC_END_OF_STACK;
        trace.pc[trace.count++] = _Unwind_GetIP(context);
        return _URC_NO_REASON;
      },
      nullptr);
}

__attribute__((noinline)) void call_systemstack(G* gp) {
  callers_pc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  goro_tls_g = gp;
  goro_systemstack(walk, nullptr);
  goro_tls_g = nullptr;
#if defined(__x86_64__)
  asm volatile("movq %0, %%fs:0x70" ::"r"(std::uintptr_t{0}) : "memory");
#endif
}

TEST(Systemstack, UnwinderReachesTheCaller) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  trace = Trace{};
  GORO_STEP(
      "call goro_systemstack(fn, arg) on a goroutine; in fn, ask the unwinder for a backtrace");
  call_systemstack(gp);
  bool found = false;
  for (int i = 0; i < trace.count; ++i) found = found || trace.pc[i] == callers_pc;
  EXPECT_TRUE(found)
      << "the backtrace has " << trace.count
      << " frames, and the goroutine's own are not among them: unwind information (the CFA) "
         "must lead from g0's stack back to the caller's";
}

}  // namespace
}  // namespace goro::lab01
