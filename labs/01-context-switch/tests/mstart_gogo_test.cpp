// Steps 1 and 2: into the scheduler and out of a frame. Needs nothing but these two functions.
#include <cstring>

#include "by_hand.h"

namespace goro::lab01 {
namespace {

TEST(Mstart, CallsFnOnThisStackAsG0) {
  ByHand hand;
  GORO_STEP("call goro_mstart(g0, fn) on a thread where no goroutine is current");
  hand.probe(nullptr, known_values(), as_function(goro_mstart), hand.g0(), capture());
  ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
  EXPECT_EQ(lab01_captured.g, hand.g0())
      << "while fn runs, g0 must be the current goroutine (SETG)";
  EXPECT_NE(hand.g0()->sched.sp, 0U) << "g0->sched.sp must say where goro_mstart's caller goes on";
  EXPECT_LE(lab01_captured.sp, hand.g0()->sched.sp)
      << "fn must run below the saved registers, or it overwrites them";
  EXPECT_GT(lab01_captured.sp + 256, hand.g0()->sched.sp)
      << "fn must run on the stack of the caller, directly below the saved registers";
  EXPECT_EQ(lab01_captured.sp % 16, kAlignmentAtEntry) << kAlignmentRule;
}

TEST(Mstart, SavesTheFrameOfThePicture) {
  ByHand hand;
  static G* g0;
  static SwitchFrame frame;
  g0 = hand.g0();
  lab01_capture_next = [] {
    // Now, because the probe's way home goes over the same stack.
    if (g0->sched.sp != 0)
      std::memcpy(&frame, reinterpret_cast<const void*>(g0->sched.sp), sizeof(frame));
    lab01_probe_back();
  };
  Registers before = known_values();
  before.control = rounding(Rounding::down);
  GORO_STEP("load a known value into every callee-saved register and call goro_mstart(g0, fn)");
  hand.probe(nullptr, before, as_function(goro_mstart), hand.g0(), capture());
  ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
  GORO_STEP("look at the ", kSwitchFrameSize, " bytes at g0->sched.sp");
  ASSERT_EQ(hand.g0()->sched.sp + kSwitchFrameSize, lab01_home)
      << "the frame must end where the caller's frame begins: g0->sched.sp + " << kSwitchFrameSize
      << " is the caller's stack pointer";
  LAB01_EXPECT_NO_DIFFERENCE(
      differences(before, frame, reinterpret_cast<std::uintptr_t>(&lab01_probe_back)),
      "the saved frame must be the one in the picture of contracts/context_switch.h");
}

TEST(Mstart, ReturnsWhenG0IsContinued) {
  ByHand hand;
  static G* g0;
  static Registers trash;
  g0 = hand.g0();
  trash = known_values();
  Registers before = known_values();
  before.control = rounding(Rounding::up);
  lab01_capture_next = [] { lab01_trash_and_gogo(&g0->sched, &trash); };
  GORO_STEP("call goro_mstart(g0, fn) with known values in every callee-saved register");
  GORO_STEP("in fn, put other values into all of them and call goro_gogo(&g0->sched)");
  const Registers after =
      hand.probe(nullptr, before, as_function(goro_mstart), hand.g0(), capture());
  EXPECT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
  LAB01_EXPECT_NO_DIFFERENCE(
      differences(before, after, lab01_home),
      "goro_mstart must return to its caller with the thread's own registers");
  EXPECT_EQ(hand.current_after(), hand.g0()) << "getg() must be g0 still when goro_mstart returns";
}

TEST(Mstart, GivesG0TheStandardControlWords) {
  ByHand hand;
  for (const auto& [what, unusual] : unusual_control_words()) {
    Registers before = known_values();
    before.control = unusual;
    raise_inexact(&before);
    GORO_STEP("a thread with ", what, " and the flag \"inexact\" up calls goro_mstart(g0, fn)");
    lab01_captured = Captured{};
    // The probe ends in fn.
    const Registers in_fn =
        hand.probe(nullptr, before, as_function(goro_mstart), hand.g0(), capture());
    ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
    EXPECT_EQ(control_bits(in_fn.control), control_bits(ControlWords{}))
        << "g0 runs with the standard control words, whatever the thread that calls goro_mstart "
           "has ("
        << what << ")";
    EXPECT_EQ(sticky_flags(in_fn), inexact_flag())
        << "the sticky flags that are up must stay up when goro_mstart loads control words";
  }
}

TEST(Gogo, RestoresEveryRegisterOfTheFrame) {
  ByHand hand;
  G* gp = hand.goroutine();
  const Registers values = known_values();
  GORO_STEP("write a frame by hand, a known value for every register");
  frame_by_hand(gp, values);
  GORO_STEP("goro_gogo to it");
  const Registers after = hand.probe(hand.g0(), known_values(), as_function(goro_gogo), &gp->sched);
  LAB01_EXPECT_NO_DIFFERENCE(
      differences(values, after, gp->stack.hi),
      "goro_gogo must take every register from the frame and end with the stack pointer just "
      "above it");
}

TEST(Gogo, MakesTheGoroutineCurrentWithItsLimit) {
  ByHand hand;
  G* gp = hand.goroutine();
  frame_by_hand(gp, known_values());
  GORO_STEP("goro_gogo to a goroutine whose stackguard0 is its lowest address + ", kStackGuard);
  Registers after = hand.probe(hand.g0(), known_values(), as_function(goro_gogo), &gp->sched);
  EXPECT_EQ(hand.current_after(), gp) << "goro_gogo must make buf->g the current goroutine (SETG)";
  EXPECT_EQ(limit_seen_by_prologues(gp, after.limit), gp->stack.lo + kStackGuard)
      << "prologues must compare with the new goroutine's stackguard0 from now on (SETGUARD)";

  GORO_STEP(
      "ask the goroutine to give way (stackguard0 = kStackPreempt) and goro_gogo to it again");
  frame_by_hand(gp, known_values());
  gp->stackguard0.store(kStackPreempt);
  after = hand.probe(hand.g0(), known_values(), as_function(goro_gogo), &gp->sched);
  EXPECT_EQ(limit_seen_by_prologues(gp, after.limit), kStackPreempt)
      << "the limit is what stackguard0 says, not something that is computed from the stack";
}

TEST(Gogo, WritesControlWordsThatDiffer) {
  ByHand hand;
  static G* gp;
  gp = hand.goroutine();
  for (const auto& [what, unusual] : unusual_control_words()) {
    Registers frame = known_values();
    GORO_STEP("g0 has the standard control words; goro_gogo to a frame with ", what);
    frame.control = unusual;
    frame_by_hand(gp, frame);
    Registers after = hand.probe(hand.g0(), known_values(), as_function(goro_gogo), &gp->sched);
    EXPECT_EQ(control_bits(after.control), control_bits(unusual))
        << "the goroutine was saved with " << what << " and must go on with it";

    GORO_STEP("a thread with ", what, " calls goro_mstart(g0, fn); fn: goro_gogo to a frame with ",
              "the standard control words");
    Registers thread = known_values();
    thread.control = unusual;
    frame.control = ControlWords{};
    frame_by_hand(gp, frame);
    lab01_capture_next = [] { goro_gogo(&gp->sched); };
    after = hand.probe(nullptr, thread, as_function(goro_mstart), hand.g0(), capture());
    EXPECT_EQ(control_bits(after.control), control_bits(ControlWords{}))
        << "the thread's " << what
        << " must not leak into a goroutine that was saved with the standard control words";
  }
}

TEST(Gogo, LeavesStickyFlagsAlone) {
  ByHand hand;
  G* gp = hand.goroutine();
  for (const Rounding mode : {Rounding::nearest, Rounding::up}) {
    Registers thread = known_values();
    raise_inexact(&thread);
    Registers frame = known_values();
    frame.control = rounding(mode);
#if defined(__x86_64__)
    frame.control.mxcsr |= 0x4U;  // division by zero
#endif
    frame_by_hand(gp, frame);
    GORO_STEP("the flag \"inexact\" is up; goro_gogo to a frame with ",
              mode == Rounding::nearest ? "the same control bits" : "other control bits");
    Registers after = hand.probe(hand.g0(), thread, as_function(goro_gogo), &gp->sched);
    EXPECT_EQ(sticky_flags(after), inexact_flag())
        << "the sticky flags belong to nobody: goro_gogo neither clears those that are up nor "
           "brings back "
           "those that were saved";
    EXPECT_EQ(control_bits(after.control), control_bits(rounding(mode)));
  }
}

}  // namespace
}  // namespace goro::lab01
