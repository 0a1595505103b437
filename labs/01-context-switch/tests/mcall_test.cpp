// Step 3: a goroutine stops. Here the test's own stack plays the goroutine's, and g0 has a stack
// apart.
#include <cstring>

#include "by_hand.h"

namespace goro::lab01 {
namespace {

G* stopped;
Registers trash;
SwitchFrame saved;

// On g0: other values into every register, and back to the goroutine.
void trash_and_go_back() {
  lab01_trash_and_gogo(&stopped->sched, &trash);
}

TEST(Mcall, CallsFnOnG0WithTheGoroutine) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  const std::uintptr_t g0_sp = by_hand.g0()->sched.sp;
  std::uintptr_t first_sp = 0;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    GORO_STEP("call goro_mcall(fn) on a goroutine, time number ", round);
    by_hand.probe(gp, known_values(), as_function(goro_mcall), capture());
    ASSERT_EQ(lab01_captured.calls, round) << "fn must be called, once";
    EXPECT_EQ(lab01_captured.arg, reinterpret_cast<std::uint64_t>(gp))
        << "fn's argument is the goroutine that stopped";
    EXPECT_EQ(lab01_captured.g, by_hand.g0())
        << "while fn runs, g0 must be the current goroutine (SETG)";
    EXPECT_EQ(limit_seen_by_prologues(by_hand.g0(), lab01_captured.limit), 0U)
        << "on g0 the limit must be 0, or a prologue there tries to grow g0's stack (SETGUARD)";
    EXPECT_EQ(by_hand.g0()->sched.sp, g0_sp) << "g0's saved stack pointer must stay: goro_mstart "
                                                "wrote it, and goro_mstart returns by it";
    EXPECT_LE(lab01_captured.sp, g0_sp) << "fn must run on g0's stack, from g0->sched.sp downwards";
    EXPECT_GT(lab01_captured.sp + 256, g0_sp)
        << "fn must start at g0->sched.sp every time: what was below is finished with";
    if (round == 1) first_sp = lab01_captured.sp;
    EXPECT_EQ(lab01_captured.sp, first_sp) << "fn must start at the same place every time";
    EXPECT_EQ(lab01_captured.sp % 16, kAlignmentAtEntry) << kAlignmentRule;
  }
}

TEST(Mcall, SavesWhereTheCallerGoesOn) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  Registers before = known_values();
  before.control = rounding(Rounding::up);
  stopped = gp;
  lab01_capture_next = [] {
    // Now, because the probe's way home goes over the same stack.
    std::memcpy(&saved, reinterpret_cast<const void*>(stopped->sched.sp), sizeof(saved));
    lab01_probe_back();
  };
  gp->sched.sp = reinterpret_cast<std::uintptr_t>(&saved);
  GORO_STEP("load a known value into every callee-saved register and call goro_mcall(fn)");
  by_hand.probe(gp, before, as_function(goro_mcall), capture());
  GORO_STEP("look at g->sched, and at the ", kSwitchFrameSize, " bytes at g->sched.sp");
  EXPECT_EQ(gp->sched.sp + kSwitchFrameSize, lab01_home)
      << "g->sched.sp must be where the frame begins, " << kSwitchFrameSize
      << " bytes below the caller's stack pointer";
  EXPECT_EQ(gp->sched.g, gp) << "g->sched.g was right already and must stay";
  LAB01_EXPECT_NO_DIFFERENCE(
      differences(before, saved, reinterpret_cast<std::uintptr_t>(&lab01_probe_back)),
      "the saved frame must be the one in the picture of contracts/context_switch.h");
}

TEST(Mcall, KeepsEveryCalleeSavedRegister) {
  ByHand by_hand;
  G* gp = stopped = by_hand.this_stack_as_goroutine();
  lab01_capture_next = trash_and_go_back;
  for (int round = 1; round <= 100; ++round) {
    const Registers before = known_values();
    trash = known_values();
    const Registers after = by_hand.probe(gp, before, as_function(goro_mcall), capture());
    const std::string wrong = differences(before, after, lab01_home);
    if (wrong.empty() && by_hand.current_after() == gp) continue;
    GORO_STEP("load a known value into every callee-saved register and call goro_mcall(fn)");
    GORO_STEP("in fn, put other values into all of them and goro_gogo(&g->sched)");
    GORO_STEP("look at the registers when goro_mcall has returned (time number ", round, ")");
    LAB01_ASSERT_NO_DIFFERENCE(
        wrong, "these registers did not come back: goro_mcall must save what goro_gogo restores");
    ASSERT_EQ(by_hand.current_after(), gp) << "the goroutine that goes on must be current again";
  }
}

TEST(Mcall, GivesG0TheStandardControlWords) {
  ByHand by_hand;
  G* gp = by_hand.this_stack_as_goroutine();
  for (const auto& [what, unusual] : unusual_control_words()) {
    Registers before = known_values();
    before.control = unusual;
    GORO_STEP("a goroutine with ", what, " calls goro_mcall(fn)");
    lab01_captured = Captured{};
    // The probe ends in fn.
    const Registers in_fn = by_hand.probe(gp, before, as_function(goro_mcall), capture());
    ASSERT_EQ(lab01_captured.calls, 1U) << "fn must be called, once";
    EXPECT_EQ(control_bits(in_fn.control), control_bits(ControlWords{}))
        << "g0 runs with the standard control words, whatever the goroutine that stops has ("
        << what << ")";
  }
}

// Two goroutines: the test's own, and another one that is made to stop as soon as it goes on.
G* other_goroutine;

void go_on_with_the_other(G*) {
  goro_gogo(&other_goroutine->sched);
}

void go_back_from_the_other(G*) {
  trash_and_go_back();
}

TEST(Mcall, KeepsControlWords) {
  ByHand by_hand;
  G* gp = stopped = by_hand.this_stack_as_goroutine();
  other_goroutine = by_hand.goroutine();
  const Rounding modes[] = {Rounding::nearest, Rounding::up, Rounding::down, Rounding::to_zero};
  for (const Rounding own : modes) {
    for (const Rounding other : modes) {
      Registers before = known_values();
      before.control = rounding(own);
      Registers of_the_other = known_values();
      of_the_other.control = rounding(other);
      of_the_other.kept[kStopAgainFunction] =
          reinterpret_cast<std::uint64_t>(&go_back_from_the_other);
      frame_by_hand(other_goroutine, of_the_other, lab01_capture);
      lab01_capture_next = lab01_stop_again;
      trash = known_values();
      lab01_captured = Captured{};
      GORO_STEP("a goroutine with rounding mode ", static_cast<int>(own),
                " stops; another with mode ", static_cast<int>(other), " goes on and stops");
      const Registers after = by_hand.probe(gp, before, as_function(goro_mcall),
                                            reinterpret_cast<const void*>(&go_on_with_the_other));
      ASSERT_EQ(lab01_captured.calls, 1U) << "the other goroutine must go on, once";
      EXPECT_EQ(control_bits(lab01_captured.control), control_bits(rounding(other)))
          << "the other goroutine must go on with the control words of its own frame";
      LAB01_ASSERT_NO_DIFFERENCE(
          differences(before, after),
          "the rounding mode is the goroutine's: it must be the same after goro_mcall as before, "
          "and so must the other control words");
    }
  }
}

TEST(Mcall, LeavesStickyFlagsAlone) {
  ByHand by_hand;
  G* gp = stopped = by_hand.this_stack_as_goroutine();
  for (const Rounding mode : {Rounding::nearest, Rounding::up}) {
    Registers before = known_values();
    before.control = rounding(mode);
    raise_inexact(&before);
    GORO_STEP("a goroutine with ",
              mode == Rounding::nearest ? "the standard control words" : "other control words",
              " and the flag \"inexact\" up calls goro_mcall(fn)");
    lab01_capture_next = lab01_probe_back;
    const Registers in_fn = by_hand.probe(gp, before, as_function(goro_mcall), capture());
    EXPECT_EQ(sticky_flags(in_fn), inexact_flag())
        << "the sticky flags that are up must stay up when goro_mcall loads control words for g0";

    lab01_capture_next = trash_and_go_back;
    GORO_STEP("again; in fn, clear the flags and goro_gogo(&g->sched)");
    trash = known_values();
    Registers after = by_hand.probe(gp, before, as_function(goro_mcall), capture());
    EXPECT_EQ(sticky_flags(after), 0U)
        << "sticky flags belong to nobody: goro_gogo must not bring back those of the frame";

    GORO_STEP("again, with all flags down; in fn, raise \"inexact\" and goro_gogo(&g->sched)");
    before = known_values();
    before.control = rounding(mode);
    raise_inexact(&trash);
    after = by_hand.probe(gp, before, as_function(goro_mcall), capture());
    EXPECT_EQ(sticky_flags(after), inexact_flag())
        << "the sticky flags that are up must stay up when goro_gogo loads control words";
  }
}

TEST(Mcall, LimitComesBackWithTheGoroutine) {
  ByHand by_hand;
  G* gp = stopped = by_hand.this_stack_as_goroutine();
  lab01_capture_next = trash_and_go_back;
  GORO_STEP("a goroutine with the limit ", kThreadLimit, " calls goro_mcall(fn)");
  const Registers after = by_hand.probe(gp, known_values(), as_function(goro_mcall), capture());
  EXPECT_EQ(limit_seen_by_prologues(by_hand.g0(), lab01_captured.limit), 0U)
      << "on g0 there is no limit";
  GORO_STEP("fn continues it with goro_gogo(&g->sched)");
  EXPECT_EQ(limit_seen_by_prologues(gp, after.limit), kThreadLimit)
      << "the goroutine's own limit, its stackguard0, must be back";
}

TEST(Mcall, KeepsNothingBelowTheStackPointer) {
  ByHand by_hand;
  G* gp = stopped = by_hand.this_stack_as_goroutine();
  lab01_capture_next = [] {
    // Nobody owns what lies below a saved stack pointer: a copy of the stack leaves it behind.
    constexpr std::size_t kBelow = 1024;
    std::memset(reinterpret_cast<void*>(stopped->sched.sp - kBelow), 0xa5, kBelow);
    trash_and_go_back();
  };
  const Registers before = known_values();
  trash = known_values();
  GORO_STEP(
      "call goro_mcall(fn); in fn, overwrite 1 KB below g->sched.sp, then goro_gogo(&g->sched)");
  const Registers after = by_hand.probe(gp, before, as_function(goro_mcall), capture());
  LAB01_EXPECT_NO_DIFFERENCE(
      differences(before, after, lab01_home),
      "what is saved must lie at g->sched.sp and above, not below it (the red zone)");
}

}  // namespace
}  // namespace goro::lab01
