// Step 5: a goroutine's first frame, and where its stack ends for everyone who walks it.
#include <unwind.h>

#include <cstring>

#include "by_hand.h"

namespace goro::lab01 {
namespace {

void a_function() {}

TEST(FirstEntry, LaysOutTheFrame) {
  ByHand hand;
  G* gp = hand.goroutine();
  const std::uintptr_t hi = gp->stack.hi;
  constexpr std::size_t kMayTouch = kSwitchFrameSize + 16;
  auto* const margin = reinterpret_cast<unsigned char*>(hi - OwnStack::kMargin);
  std::memset(margin, 0xa5, 2 * OwnStack::kMargin);
  GORO_STEP("fill a stack with 0xa5 and call gostartcall(&g->sched, hi, fn)");
  gostartcall(&gp->sched, hi, a_function);
  ASSERT_GE(gp->sched.sp, hi - kMayTouch)
      << "the frame must be in the top " << kMayTouch << " bytes";
  ASSERT_LE(gp->sched.sp, hi - kSwitchFrameSize) << "the frame must be below hi";
  EXPECT_EQ(gp->sched.sp % 16, 0U) << "a saved stack pointer is 16-byte aligned";
  EXPECT_EQ(gp->sched.g, gp) << "sched.g was right already and must stay";
  SwitchFrame frame{};
  std::memcpy(&frame, reinterpret_cast<const void*>(gp->sched.sp), sizeof(frame));
  EXPECT_EQ(frame.return_address, reinterpret_cast<std::uint64_t>(&goro_gostart))
      << "the first goro_gogo must arrive at goro_gostart";
  EXPECT_EQ(control_bits(frame.control), control_bits(ControlWords{}))
      << "a new goroutine starts with the default floating-point control words";
#if defined(__x86_64__)
  EXPECT_EQ(frame.control.mxcsr, 0x1f80U);
#endif
  EXPECT_EQ(frame.kept[kKept - 1], 0U)
      << "the saved frame pointer must be 0: a walk over frame records ends here";
  std::size_t touched = 0;
  for (std::size_t i = 0; i < 2 * OwnStack::kMargin; ++i) {
    const bool ours = i >= OwnStack::kMargin - kMayTouch && i < OwnStack::kMargin;
    if (!ours && margin[i] != 0xa5) ++touched;
  }
  EXPECT_EQ(touched, 0U) << "gostartcall must touch nothing but the top " << kMayTouch
                         << " bytes of the stack";
}

TEST(FirstEntry, CallsFnWithAnAlignedStack) {
  ByHand hand;
  for (const std::size_t below : {0, 64, 128, 192}) {
    G* gp = hand.goroutine();
    gp->stack.hi -= below;
    gostartcall(&gp->sched, gp->stack.hi, lab01_capture);
    GORO_STEP("gostartcall(&g->sched, hi, fn) with hi = ", std::hex, gp->stack.hi,
              ", then goro_gogo(&g->sched)");
    lab01_captured = Captured{};
    hand.probe(hand.g0(), known_values(), as_function(goro_gogo), &gp->sched);
    ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
    EXPECT_LE(lab01_captured.sp, gp->stack.hi) << "fn must run on the goroutine's stack";
    EXPECT_GE(lab01_captured.sp + 256, gp->stack.hi)
        << "fn must run at the top of the goroutine's stack";
    EXPECT_EQ(lab01_captured.sp % 16, kAlignmentAtEntry) << kAlignmentRule;
    EXPECT_EQ(lab01_captured.fp, 0U)
        << "the frame pointer must be 0: a walk over frame records ends here";
    EXPECT_EQ(
        _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(lab01_captured.return_address - 1)),
        reinterpret_cast<void*>(&goro_gostart))
        << "fn must be called by goro_gostart, so that there is something to return to";
    EXPECT_EQ(lab01_captured.g, gp) << "the goroutine must be current in fn";
    EXPECT_EQ(limit_seen_by_prologues(gp, lab01_captured.limit), gp->stack.lo + kStackGuard)
        << "fn's prologue must compare with the goroutine's own limit";
  }
}

TEST(FirstEntry, StartsWithDefaultControlWords) {
  ByHand hand;
  static G* gp;
  for (const Rounding mode : {Rounding::up, Rounding::down, Rounding::to_zero}) {
    gp = hand.goroutine();
    gostartcall(&gp->sched, gp->stack.hi, lab01_capture);
    Registers thread = known_values();
    thread.control = rounding(mode);
    GORO_STEP("a thread with rounding mode ", static_cast<int>(mode),
              " calls goro_mstart(g0, fn); in fn, a new goroutine starts");
    lab01_captured = Captured{};
    hand.probe(nullptr, thread, as_function(goro_mstart), hand.g0(),
               reinterpret_cast<const void*>(+[] { goro_gogo(&gp->sched); }));
    ASSERT_EQ(lab01_captured.calls, 1U) << "the goroutine's function must be called, once";
    EXPECT_EQ(control_bits(lab01_captured.control), control_bits(ControlWords{}))
        << "a new goroutine has the standard control words, whatever ran on the thread before";
  }
}

struct Walk {
  static constexpr int kMost = 64;
  int frames = 0;
  std::uintptr_t last_function = 0;
  bool saw_decoy = false;
  _Unwind_Reason_Code backtrace_ended = _URC_NO_REASON;
  bool raise_came_back = false;
};
Walk walk;

__attribute__((noinline)) void decoy() {
  asm volatile("nop\n\tnop\n\tnop\n\tnop");
}

std::uintptr_t inside_decoy() {
  return reinterpret_cast<std::uintptr_t>(&decoy) + 2;
}

void walk_to_the_end() {
  walk.backtrace_ended = _Unwind_Backtrace(
      [](_Unwind_Context* context, void*) {
        if (++walk.frames > Walk::kMost) return _URC_NORMAL_STOP;
        walk.last_function = _Unwind_GetRegionStart(context);
        if (walk.last_function == reinterpret_cast<std::uintptr_t>(&decoy)) walk.saw_decoy = true;
        return _URC_NO_REASON;
      },
      nullptr);
  // An exception that nobody catches: the search for a handler must come to an end as well. (Its
  // result is not looked at: libgcc's return from here is broken on ARM64 before version 14.)
  static _Unwind_Exception exception;
  std::memset(&exception, 0, sizeof(exception));
  if (walk.frames <= Walk::kMost) {
    _Unwind_RaiseException(&exception);
    walk.raise_came_back = true;
  }
  lab01_probe_back();
}

TEST(FirstEntry, UnwindingEndsThere) {
  ByHand hand;
  G* gp = hand.goroutine();
  walk = Walk{};
  gostartcall(&gp->sched, gp->stack.hi, walk_to_the_end);
  GORO_STEP("start a goroutine with an address of other code above its first frame");
  // There is nothing above goro_gostart that is anyone's return address, so this must not matter.
  for (std::uintptr_t at = gp->sched.sp + kSwitchFrameSize; at < gp->stack.hi + 64; at += 8) {
    const std::uintptr_t pc = inside_decoy();
    std::memcpy(reinterpret_cast<void*>(at), &pc, sizeof(pc));
  }
  GORO_STEP(
      "in the goroutine, ask the unwinder for a backtrace, then raise an exception that nobody "
      "catches");
  hand.probe(hand.g0(), known_values(), as_function(goro_gogo), &gp->sched);
  EXPECT_FALSE(walk.saw_decoy)
      << "the unwinder went on past goro_gostart into code that never called it: "
         "goro_gostart's unwind information must say that nobody called it";
  EXPECT_LE(walk.frames, Walk::kMost) << "the unwinder found no end of the stack";
  EXPECT_EQ(walk.backtrace_ended, _URC_END_OF_STACK) << "a backtrace must come to a proper end";
  EXPECT_EQ(walk.last_function, reinterpret_cast<std::uintptr_t>(&goro_gostart))
      << "the last frame of a goroutine is goro_gostart's";
  EXPECT_TRUE(walk.raise_came_back) << "the search for a handler must come to a proper end, so "
                                       "that std::terminate can be called while the "
                                       "stack is whole";
}

}  // namespace
}  // namespace goro::lab01
