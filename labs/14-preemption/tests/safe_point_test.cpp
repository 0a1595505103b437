// Step 2: where a goroutine may be stopped. Each test changes one thing about a safe point.
#include "support.h"

namespace goro::testing {
namespace {

TEST(WantAsync, OnlyWhoWasAskedAndRuns) {
  InterruptedG i;
  EXPECT_TRUE(want_async_preempt(i.g())) << "it was asked, and it runs";
  i.g()->preempt.store(false);
  EXPECT_FALSE(want_async_preempt(i.g()))
      << "nobody has asked it (any more): a signal can come too late";
  i.g()->preempt.store(true);
  i.g()->atomicstatus.store(static_cast<std::uint32_t>(GStatus::syscall));
  EXPECT_FALSE(want_async_preempt(i.g())) << "it is in a system call: it is not running";
}

TEST(SafePoint, AFunctionOfThePrograms) {
  InterruptedG i;
  GORO_STEP("pc and all callers are in functions of the program");
  EXPECT_TRUE(is_async_safe_point(i.g(), i.at())) << "nothing speaks against stopping it here";
}

TEST(SafePoint, NotInTheRuntimeNorInALibrary) {
  InterruptedG i;
  GORO_STEP("pc is in goro_mcall");
  i.at().pc = in_the_runtime();
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "the runtime may hold an M, a P or a lock in a register";
  GORO_STEP("pc is in a template of the C++ library");
  i.at().pc = in_a_library_template();
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "the library's own code counts as the library, wherever it was compiled";
  GORO_STEP("pc is in no function that anybody knows");
  i.at().pc = i.lo();
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "what is unknown is not the program's";
}

TEST(SafePoint, NotWhileTheMIsHeld) {
  InterruptedG i;
  GORO_STEP("the M holds a lock of the runtime's (M::locks is 1)");
  i.m()->locks = 1;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "whoever has called acquirem must stay on this M until releasem";
  i.m()->locks = 0;
  GORO_STEP("the M has no P");
  P* pp = i.m()->p;
  i.m()->p = nullptr;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "without a P nobody can run the scheduler";
  i.m()->p = pp;
  GORO_STEP("the M has no spare SavedState");
  SavedState* spare = i.m()->spare_state;
  i.m()->spare_state = nullptr;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "there is nowhere to save its registers";
  i.m()->spare_state = spare;
  EXPECT_TRUE(is_async_safe_point(i.g(), i.at())) << "now everything is as it was";
}

TEST(SafePoint, OnlyTheGoroutineOfTheM) {
  InterruptedG i;
  GORO_STEP("another goroutine is this M's curg");
  G other;
  i.m()->curg.store(&other);
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "a switch is under way: curg is another";
  i.m()->curg.store(i.g());
  GORO_STEP("the goroutine has no M");
  i.g()->m = nullptr;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "a switch is under way: it has no M";
  i.g()->m = i.m();
}

TEST(SafePoint, OnlyOnItsOwnStackWithRoom) {
  InterruptedG i;
  GORO_STEP("sp is outside of the goroutine's stack");
  i.at().sp = i.address(InterruptedG::kWords) + 64;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "it runs on another stack";
  GORO_STEP("sp is ", kAsyncPreemptRoom - 8, " bytes above the stack's end");
  i.at().sp = i.lo() + kAsyncPreemptRoom - 8;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "less room than kAsyncPreemptRoom: saving would write below the stack";
  i.at().sp = i.lo() + kAsyncPreemptRoom;
  EXPECT_TRUE(is_async_safe_point(i.g(), i.at())) << "exactly enough room is enough";
}

TEST(SafePoint, NoCallerIsTheRuntime) {
  InterruptedG i;
  GORO_STEP("a program's function, called by the runtime, called by the program");
  i.callers({in_the_runtime(), in_the_program()});
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "the caller is the runtime: it is in the middle of something";
  GORO_STEP("the runtime is a caller further up");
  i.callers({in_the_program(), in_the_program(), in_the_runtime(), in_the_program()});
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "every caller counts, not only the first";
}

TEST(SafePoint, ATemplateOfTheLibrarysMayCall) {
  InterruptedG i;
  GORO_STEP("a program's function, called by a template of the library's (as std::sort calls)");
  i.callers({in_a_library_template(), in_the_program()});
  EXPECT_TRUE(is_async_safe_point(i.g(), i.at()))
      << "as a caller, Text::library is no obstacle: only Text::other is";
}

TEST(SafePoint, ACallMayBeTheLastInstructionOfItsCaller) {
  InterruptedG i;
  GORO_STEP("a return address that is the first byte behind the caller");
  std::uintptr_t end = in_the_program();
  while (text_at(end) != Text::other) ++end;
  i.callers({end, in_the_program()});
  EXPECT_TRUE(is_async_safe_point(i.g(), i.at()))
      << "a call of a function that never returns may be the last instruction; the byte before the "
         "return address says which function called";
}

TEST(SafePoint, AWalkThatLosesItsWayMeansNo) {
  InterruptedG i;
  GORO_STEP("the frame pointer is no multiple of 8");
  const std::uintptr_t fp = i.at().fp;
  i.at().fp = fp + 4;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "no record begins at an odd address";
  GORO_STEP("the frame pointer is outside of the stack");
  i.at().fp = i.lo() - 64;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at())) << "below the stack there are no records";
  i.at().fp = i.address(InterruptedG::kWords) - 8;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "a record has two words, and both must be in the stack";
  i.at().fp = fp;
  GORO_STEP("a record that names itself as its caller's");
  i.words()[(fp - i.lo()) / 8] = fp;
  EXPECT_FALSE(is_async_safe_point(i.g(), i.at()))
      << "each record must be above the one before; else the walk goes round for ever";
}

}  // namespace
}  // namespace goro::testing
