// Sysmon's decisions: when it sleeps, which P it takes, whom it asks to give way. Time is a number
// that the tests choose.
#include <pthread.h>

#include "support.h"

namespace goro::testing {
namespace {

constexpr std::int64_t kStart = 1'000'000'000;
constexpr std::int64_t kRound = 20'000;  // nanoseconds

TEST(Sysmon, PausesGrowWhileNothingHappens) {
  EXPECT_EQ(sysmon_delay(0, 10'000), 20U) << "after a round that did something: 20 microseconds";
  EXPECT_EQ(sysmon_delay(1, 20), 20U) << "one round without is too early to sleep longer";
  EXPECT_EQ(sysmon_delay(50, 20), 20U) << "the 50th round without still sleeps as long as before";
  EXPECT_EQ(sysmon_delay(51, 20), 40U) << "from the 51st round on twice the last pause";
  EXPECT_EQ(sysmon_delay(52, 40), 80U) << "and twice that";
  EXPECT_EQ(sysmon_delay(90, 8'000), 10'000U) << "never more than 10 milliseconds";
  EXPECT_EQ(sysmon_delay(1'000, 10'000), 10'000U) << "never more than 10 milliseconds";
}

// P1's M is in a call, and a goroutine waits in P1's queue.
struct Blocked {
  Blocked() : fake(2), other(fake, fake.p(1), GStatus::syscall) {
    fake.p(0)->status.store(kPStopped);  // the test's own P is of no interest
    runq_put(fake.p(1), fake.g(), false);
  }
  FakeM fake;
  OtherM other;
  Sleepers sleepers;
};

TEST(Retake, ACallThatLastsLosesItsP) {
  Blocked blocked;
  P* pp = blocked.fake.p(1);
  GORO_STEP("P1 is in a call and has a goroutine in its queue; retake looks twice");
  EXPECT_EQ(retake(kStart), 0) << "seen for the first time: it may be over in a moment";
  EXPECT_EQ(blocked.other.m()->p.get(), pp) << "seen for the first time: the P stays with its M";
  EXPECT_EQ(retake(kStart + kRound), 1)
      << "the same call a round later: P1 must be taken, and counted";
  EXPECT_EQ(blocked.other.m()->p.get(), nullptr) << "the M in the call must have lost its P";
  EXPECT_EQ(status_of(blocked.other.g()), kInSyscall) << "the scan bit must be clear again";
  EXPECT_NE(blocked.sleepers.with(pp), nullptr)
      << "the P must be handed on (handoffp): its goroutine waits for an M";
  EXPECT_EQ(blocked.sleepers.woken(), 1) << "and only once";
  EXPECT_EQ(sched.nmidlelocked, 0) << "incidlelocked(-1) and incidlelocked(1) must come in pairs";
}

TEST(Retake, ManyShortCallsAreNotOneLongOne) {
  Blocked blocked;
  P* pp = blocked.fake.p(1);
  GORO_STEP("P1 is in another call each time that retake looks");
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(retake(kStart + round * kRound), 0)
        << "syscalltick has changed since the last look: it is a new call, and may be over in a "
           "moment";
    ++pp->syscalltick;
  }
  EXPECT_EQ(blocked.other.m()->p.get(), pp) << "the P stays with its M";
}

TEST(Retake, APThatNobodyNeedsStaysForASlice) {
  FakeM fake(3);
  OtherM other(fake, fake.p(1), GStatus::syscall);
  const Sleepers sleepers;
  fake.p(0)->status.store(kPStopped);
  put_on_idle_list(fake.p(2));
  GORO_STEP("P1 is in a call; its queue is empty, and P2 is idle");
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(retake(kStart + round * kRound), 0)
        << "P1 has nothing to run, and others are idle: taking it would only cost its M the way "
           "back";
  }
  EXPECT_EQ(other.m()->p.get(), fake.p(1)) << "the P stays with its M";
  GORO_STEP("the same call, 10 ms after it was seen first");
  EXPECT_EQ(retake(kStart + kForcePreempt), 1)
      << "after 10 ms P1 must be taken all the same: while it seems busy, sysmon cannot rest";
  EXPECT_TRUE(on_idle_list(fake.p(1))) << "and it goes to the idle list (handoffp)";
}

TEST(Retake, WithNobodyIdleAnEmptyPIsTakenToo) {
  FakeM fake(2);
  OtherM other(fake, fake.p(1), GStatus::syscall);
  const Sleepers sleepers;
  fake.p(0)->status.store(kPStopped);
  GORO_STEP("P1 is in a call with an empty queue; no P is idle and nobody spins");
  EXPECT_EQ(retake(kStart), 0) << "seen for the first time: it may be over in a moment";
  EXPECT_EQ(retake(kStart + kRound), 1)
      << "nobody looks for work, so P1 is needed for that: it must be taken";
  EXPECT_NE(sleepers.with(fake.p(1)), nullptr) << "and an M must look for work with it (handoffp)";
}

TEST(Retake, APThatRunsIsNeverTaken) {
  FakeM fake(2);
  OtherM other(fake, fake.p(1), GStatus::running);
  const Sleepers sleepers;
  fake.p(0)->status.store(kPStopped);
  runq_put(fake.p(1), fake.g(), false);
  GORO_STEP("P1 runs a goroutine for 100 rounds, and another waits in its queue");
  for (int round = 0; round < 100; ++round) {
    ASSERT_EQ(retake(kStart + round * kForcePreempt), 0) << "a P that runs must not be taken";
    ASSERT_EQ(other.m()->p.get(), fake.p(1))
        << "a P that runs must not be taken: its M uses it at this moment";
  }
  EXPECT_EQ(status_of(other.g()), kRunning) << "nor must its goroutine's status be touched";
  EXPECT_EQ(sleepers.woken(), 0) << "there was nothing to hand on";
}

TEST(Retake, TakesAllThatLastAndCountsThem) {
  FakeM fake(4);
  const OtherM one(fake, fake.p(1), GStatus::syscall);
  const OtherM two(fake, fake.p(2), GStatus::syscall);
  const OtherM runs(fake, fake.p(3), GStatus::running);
  const Sleepers sleepers(3);
  fake.p(0)->status.store(kPStopped);
  runq_put(fake.p(1), fake.g(), false);
  runq_put(fake.p(2), fake.g(), false);
  GORO_STEP("P1 and P2 are in calls and have work, P3 runs");
  EXPECT_EQ(retake(kStart), 0) << "both calls are new";
  EXPECT_EQ(retake(kStart + kRound), 2) << "both Ps must be taken in one round";
  EXPECT_EQ(sleepers.woken(), 2) << "and each must be handed to an M of its own";
}

// P1 runs a goroutine on an M that has this thread's clock of processor time.
struct Computing {
  Computing() : fake(2), other(fake, fake.p(1), GStatus::running) {
    fake.p(0)->status.store(kPStopped);
    clockid_t clock = 0;
    pthread_getcpuclockid(pthread_self(), &clock);
    other.m()->cpu_clock = clock;
  }
  // As a goroutine would that computes for so long.
  static void compute(std::int64_t nanoseconds) {
    timespec used{};
    const auto now = [&] {
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
      return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
    };
    const std::int64_t until = now() + nanoseconds;
    while (now() < until) {
    }
  }
  [[nodiscard]] bool asked() { return other.g()->preempt.load(); }

  FakeM fake;
  OtherM other;
};

TEST(Slice, AfterTenMillisecondsTheGoroutineIsAskedToGiveWay) {
  Computing computing;
  GORO_STEP("P1 runs the same slice (schedtick) for 10 ms, and its thread has computed meanwhile");
  retake(kStart);
  Computing::compute(kForcePreempt / 2);
  retake(kStart + kForcePreempt - 1);
  EXPECT_FALSE(computing.asked()) << "its 10 ms are not over yet";
  retake(kStart + kForcePreempt);
  EXPECT_TRUE(computing.asked())
      << "the slice has lasted for 10 ms: preempt_one must be called for P1";
}

TEST(Slice, ANewOneBeginsWithEachTick) {
  Computing computing;
  P* pp = computing.fake.p(1);
  GORO_STEP("10 ms pass, but P1 has begun a new slice (schedtick) in between");
  retake(kStart);
  Computing::compute(kForcePreempt / 2);
  ++pp->schedtick;
  retake(kStart + kForcePreempt);
  EXPECT_FALSE(computing.asked()) << "another goroutine runs now: its own 10 ms begin";
  Computing::compute(kForcePreempt / 2);
  retake(kStart + 2 * kForcePreempt);
  EXPECT_TRUE(computing.asked()) << "and 10 ms later they are over";
}

TEST(Slice, AThreadWithoutAProcessorIsNotToBlame) {
  Computing computing;
  GORO_STEP("10 ms pass, but P1's thread has computed for less than half of that");
  retake(kStart);
  retake(kStart + kForcePreempt);
  EXPECT_FALSE(computing.asked())
      << "the thread has hardly had a processor (m_cpu_time): its goroutine's slice is not over";
}

}  // namespace
}  // namespace goro::testing
