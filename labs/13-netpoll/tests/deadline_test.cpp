// Deadlines: their timers are looked at, or fired by hand; nobody waits for a clock.
#include "support.h"

namespace goro::testing {
namespace {

// What happens when a side's timer fires; `seq` as it was when it was set.
void fire(PollSide& side, std::uintptr_t seq) {
  ASSERT_NE(side.timer.f, nullptr) << "the deadline must have set its timer";
  side.timer.f(side.timer.arg, seq, 0);
}

void fire(PollSide& side) {
  fire(side, side.timer.seq);
}

TEST(Deadline, SetsATimer) {
  Words words;
  PollSide& side = words.pd.side(PollMode::read);
  GORO_STEP("poll_set_deadline for reading, to a time that is far away");
  poll_set_deadline(&words.pd, PollMode::read, kNever);
  EXPECT_EQ(side.deadline, kNever);
  EXPECT_EQ(side.timer.when, kNever) << "the side's timer must be set";
  EXPECT_EQ(side.timer.period, 0) << "once";
  EXPECT_EQ(words.pd.info.load(), 0U) << "nothing has passed yet";
  EXPECT_EQ(words.pd.side(PollMode::write).timer.when, 0) << "there is none for writing";
  EXPECT_TRUE(words.pd.lock.try_lock()) << "the lock must be free again";
  words.pd.lock.unlock();
}

TEST(Deadline, ZeroIsNone) {
  Words words;
  PollSide& side = words.pd.side(PollMode::write);
  GORO_STEP("a deadline, and then 0");
  poll_set_deadline(&words.pd, PollMode::write, kNever);
  poll_set_deadline(&words.pd, PollMode::write, 0);
  EXPECT_EQ(side.deadline, 0);
  EXPECT_EQ(side.timer.when, 0) << "the timer must be stopped";
  EXPECT_EQ(words.pd.info.load(), 0U);
}

TEST(Deadline, WakesWhoWaitsWhenItPasses) {
  for (const PollMode mode : {PollMode::read, PollMode::write}) {
    Words words;
    PollSide& side = words.pd.side(mode);
    poll_set_deadline(&words.pd, mode, kNever);
    words.park(mode);
    GORO_STEP("G1 waits; the timer fires");
    fire(side);
    EXPECT_EQ(words.woken(), Ids{1}) << "G1 must be woken";
    EXPECT_EQ(netpoll_waiters.load(), 0) << "and counted down";
    EXPECT_EQ(word_of(words.pd, mode), "none") << "that was no edge";
    EXPECT_EQ(side.deadline, kDeadlinePassed);
    EXPECT_TRUE(poll_reset(&words.pd, mode) == PollError::timeout) << "who comes later is told";
    EXPECT_TRUE(words.pd.lock.try_lock()) << "the lock must be free again";
    words.pd.lock.unlock();
  }
}

TEST(Deadline, OneSideIsNotTheOther) {
  Words words;
  poll_set_deadline(&words.pd, PollMode::read, kNever);
  poll_set_deadline(&words.pd, PollMode::write, kNever);
  words.park(PollMode::read);
  words.park(PollMode::write);
  GORO_STEP("G1 waits to read, G2 to write; the timer for writing fires");
  fire(words.pd.side(PollMode::write));
  EXPECT_EQ(words.woken(), Ids{2}) << "only G2's time is up";
  EXPECT_EQ(word_of(words.pd, PollMode::read), "G1");
  EXPECT_EQ(words.pd.info.load(), kPollWriteTimeout);
}

TEST(Deadline, OfATimerThatIsOutOfDateIsNone) {
  Words words;
  PollSide& side = words.pd.side(PollMode::read);
  poll_set_deadline(&words.pd, PollMode::read, kNever);
  const std::uintptr_t old = side.timer.seq;
  words.park(PollMode::read);
  GORO_STEP("a timer is about to fire; the deadline is moved; then the timer's function is called");
  poll_set_deadline(&words.pd, PollMode::read, kNever + 1);
  fire(side, old);
  EXPECT_EQ(words.woken(), Ids{}) << "the deadline has another seq by now: this timer was late";
  EXPECT_EQ(side.deadline, kNever + 1);
  EXPECT_EQ(words.pd.info.load(), 0U);
  GORO_STEP("the same after \"none\"");
  const std::uintptr_t newer = side.timer.seq;
  poll_set_deadline(&words.pd, PollMode::read, 0);
  fire(side, newer);
  EXPECT_EQ(words.woken(), Ids{}) << "there is no deadline any more";
}

TEST(Deadline, OneThatHasPassedAlreadyWakesAtOnce) {
  Words words;
  words.park(PollMode::read);
  GORO_STEP("G1 waits; a deadline that lies in the past");
  poll_set_deadline(&words.pd, PollMode::read, 1);
  EXPECT_EQ(words.woken(), Ids{1}) << "its time is up";
  EXPECT_EQ(netpoll_waiters.load(), 0);
  EXPECT_EQ(words.pd.side(PollMode::read).deadline, kDeadlinePassed);
  EXPECT_EQ(words.pd.side(PollMode::read).timer.when, 0) << "no timer is needed for that";
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::read) == PollError::timeout);
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::write) == PollError::none);
}

TEST(Deadline, AnotherOneMakesGoodForOneThatHasPassed) {
  Words words;
  GORO_STEP("a deadline passes; then another is set; then none");
  poll_set_deadline(&words.pd, PollMode::read, 1);
  poll_set_deadline(&words.pd, PollMode::write, 1);
  poll_set_deadline(&words.pd, PollMode::read, kNever);
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::read) == PollError::none)
      << "until another is set, and now another is set";
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::write) == PollError::timeout);
  poll_set_deadline(&words.pd, PollMode::write, 0);
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::write) == PollError::none);
}

TEST(Deadline, DoesNotEatAnEdge) {
  Words words;
  words.pd.side(PollMode::read).g.store(kPollReady);
  GORO_STEP("an edge is kept; a deadline passes, and is taken back");
  poll_set_deadline(&words.pd, PollMode::read, 1);
  poll_set_deadline(&words.pd, PollMode::read, 0);
  EXPECT_EQ(word_of(words.pd, PollMode::read), "ready") << "epoll will not report it again";
}

TEST(Deadline, OfAClosedDescriptorIsNothing) {
  Words words;
  poll_unblock(&words.pd);
  GORO_STEP("closed; then a deadline is set");
  poll_set_deadline(&words.pd, PollMode::read, kNever);
  EXPECT_EQ(words.pd.side(PollMode::read).timer.when, 0)
      << "nobody would stop this timer: it would fire for whatever uses this PollDesc next";
  EXPECT_TRUE(words.pd.lock.try_lock()) << "the lock must be free again";
  words.pd.lock.unlock();
}

TEST(Deadline, TheLastWhoWaitedCallsThePollerHome) {
  Words words;
  poll_set_deadline(&words.pd, PollMode::read, kNever);
  words.park(PollMode::read);
  somebody_sleeps_there();
  GORO_STEP("G1 alone waits for the network, an M sleeps in poll_until; the deadline passes");
  fire(words.pd.side(PollMode::read));
  EXPECT_EQ(sched.poll_broken.load(), 1U)
      << "nobody waits for the network any more: netpoll_break, as in poll_unblock";
}

}  // namespace
}  // namespace goro::testing
