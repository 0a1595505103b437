// Step 3: the handler, and the change that it makes to where the thread goes on.
#include "support.h"

namespace goro::testing {
namespace {

bool goes_on_where_it_was(const InterruptedG& i) {
  return i.next_pc() == in_the_program();
}

TEST(Divert, GoesOnInAsyncPreempt) {
  InterruptedG i;
  GORO_STEP("push_call at a safe point");
  push_call(i.m(), i.at());
  EXPECT_TRUE(kGoesOnInAsyncPreempt(i))
      << "the program counter in the signal's context must be goro_async_preempt";
  EXPECT_EQ(i.next_sp() % 8, 0U) << "the stack pointer must stay aligned";
  EXPECT_LT(i.next_sp(), i.at().sp) << "the stack grows downwards, and what it holds must stay";
}

#if defined(__x86_64__)

TEST(Divert, LeavesWhatGoroAsyncPreemptExpects) {
  InterruptedG i;
  push_call(i.m(), i.at());
  ASSERT_EQ(i.next_sp(), i.at().sp - GORO_RED_ZONE - 8)
      << "rsp must be below the red zone and one word";
  EXPECT_EQ(i.word_at(i.next_sp()), i.at().pc) << "at rsp must be the interrupted pc";
}

TEST(Divert, WritesNothingElse) {
  InterruptedG i;
  push_call(i.m(), i.at());
  for (std::uintptr_t at = i.at().sp - GORO_RED_ZONE; at < i.at().sp + 256; at += 8) {
    ASSERT_EQ(i.word_at(at), InterruptedG::kUntouched)
        << "the word " << static_cast<std::int64_t>(at - i.at().sp)
        << " bytes from the interrupted rsp was changed; the red zone may be in use";
  }
  EXPECT_NE(i.m()->spare_state, nullptr) << "goro_async_preempt takes the spare state, not you";
}

#else

TEST(Divert, LeavesWhatGoroAsyncPreemptExpects) {
  InterruptedG i;
  SavedState* spare = i.m()->spare_state;
  SavedState behind{};
  spare->next = &behind;
  const ucontext_t before = i.context();
  push_call(i.m(), i.at());
  ASSERT_EQ(i.next_sp(), i.at().sp - 16) << "a frame record is pushed, and nothing else";
  EXPECT_EQ(i.next_fp(), i.next_sp()) << "x29 must be the record's address";
  EXPECT_EQ(i.word_at(i.next_sp()), i.at().fp) << "the record begins with the interrupted x29";
  EXPECT_EQ(i.word_at(i.next_sp() + 8), i.at().pc) << "and ends with the interrupted pc";
  EXPECT_EQ(i.context().uc_mcontext.regs[19], reinterpret_cast<std::uintptr_t>(spare))
      << "x19 must be the state's address";
  EXPECT_EQ(i.m()->spare_state, &behind) << "the state is in use: it must leave the M's list";
  EXPECT_EQ(std::memcmp(spare->registers + kSavedContext, &before, sizeof(before)), 0)
      << "the state must hold the context as it was interrupted, before anything is changed";
}

TEST(Divert, WritesNothingElse) {
  InterruptedG i;
  push_call(i.m(), i.at());
  for (std::uintptr_t at = i.at().sp; at < i.at().sp + 256; at += 8) {
    ASSERT_EQ(i.word_at(at), InterruptedG::kUntouched)
        << "the word " << static_cast<std::int64_t>(at - i.at().sp)
        << " bytes from the interrupted sp was changed";
  }
}

#endif

TEST(Handler, StopsWhoWasAsked) {
  InterruptedG i;
  GORO_STEP("the handler finds a goroutine that was asked, at a safe point");
  EXPECT_TRUE(do_sig_preempt(i.m(), i.g(), i.at())) << "the signal is the runtime's";
  EXPECT_TRUE(kGoesOnInAsyncPreempt(i)) << "the thread must go on in goro_async_preempt";
  EXPECT_FALSE(i.m()->signal_pending.load())
      << "the signal has arrived: signal_pending must be down, or no other is ever sent";
}

TEST(Handler, LeavesOthersSignalsAlone) {
  InterruptedG i;
  GORO_STEP("a SIGURG that the runtime has not sent (signal_pending is down)");
  i.m()->signal_pending.store(false);
  EXPECT_FALSE(do_sig_preempt(i.m(), i.g(), i.at()))
      << "somebody else's signal: false, and the program's own handler gets it";
  EXPECT_TRUE(goes_on_where_it_was(i)) << "and nobody is stopped by it";
}

TEST(Handler, WhoWasNotAskedGoesOn) {
  InterruptedG i;
  GORO_STEP("the request was taken back before the signal came");
  i.g()->preempt.store(false);
  EXPECT_TRUE(do_sig_preempt(i.m(), i.g(), i.at())) << "the signal is the runtime's";
  EXPECT_TRUE(goes_on_where_it_was(i)) << "nobody asked: the thread goes on where it was";
  EXPECT_EQ(i.g()->stackguard0.load(), i.lo() + 100) << "nor is there a request to repeat";
  EXPECT_FALSE(i.m()->signal_pending.load()) << "but the signal has arrived";
}

TEST(Handler, LeavesTheRestToThePrologue) {
  InterruptedG i;
  GORO_STEP("a goroutine that was asked is found in the runtime");
  i.at().pc = in_the_runtime();
  EXPECT_TRUE(do_sig_preempt(i.m(), i.g(), i.at())) << "the signal is the runtime's";
  EXPECT_TRUE(goes_on_where_it_was(i)) << "no safe point: the thread goes on where it was";
  EXPECT_EQ(i.g()->stackguard0.load(), kStackPreempt)
      << "the request must not be lost: repeat_preemption leaves it to the next prologue";
}

TEST(Handler, RegistersThatDoNotFitStayWhereTheyAre) {
  InterruptedG i;
  GORO_STEP("a safe point, but the processor's registers are more than a SavedState holds");
  i.use_strange_registers();
  EXPECT_TRUE(do_sig_preempt(i.m(), i.g(), i.at())) << "the signal is the runtime's";
  EXPECT_TRUE(goes_on_where_it_was(i))
      << "registers that do not fit would be lost: ask registers_fit before push_call";
  EXPECT_EQ(i.g()->stackguard0.load(), kStackPreempt) << "the next prologue must stop it";
}

TEST(Handler, NeverStopsG0) {
  InterruptedG i;
  GORO_STEP("the signal comes while the M is on its g0");
  i.g()->stack_kind = StackKind::system;
  EXPECT_TRUE(do_sig_preempt(i.m(), i.g(), i.at())) << "the signal is the runtime's";
  EXPECT_TRUE(goes_on_where_it_was(i)) << "the scheduler itself is never stopped";
  EXPECT_EQ(i.g()->stackguard0.load(), i.lo() + 100)
      << "and g0's guard is not touched: it has no limit";
  i.g()->stack_kind = StackKind::growable;
}

}  // namespace
}  // namespace goro::testing
