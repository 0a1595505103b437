// Holding a goroutine inside its system call, and taking its P. Nothing runs at the same time here.
#include "support.h"

namespace goro::testing {
namespace {

TEST(ScanBit, KeepsTheGoroutineInItsCall) {
  FakeM fake(2);
  OtherM other(fake, fake.p(1), GStatus::syscall);
  SyscallingThread thread;
  GORO_STEP("the M of P1 is in a system call; set_block_on_exit_syscall(P1)");
  ASSERT_TRUE(set_block_on_exit_syscall(fake.p(1), &thread)) << "P1 is with an M in a system call";
  EXPECT_EQ(status_of(other.g()), kInSyscall | kGScan)
      << "the scan bit must be set: it is what the goroutine waits for when it comes back";
  EXPECT_EQ(thread.gp, other.g()) << "thread->gp must be the goroutine in the call";
  EXPECT_EQ(thread.mp, other.m()) << "thread->mp must be its M";
  EXPECT_EQ(thread.pp, fake.p(1)) << "thread->pp must be the P that was asked for";
  GORO_STEP("resume");
  thread.resume();
  EXPECT_EQ(status_of(other.g()), kInSyscall) << "resume must clear the scan bit and nothing else";
  EXPECT_EQ(other.m()->p.get(), fake.p(1)) << "nobody took the P: it is still wired";
}

TEST(ScanBit, IsOnlyForSystemCalls) {
  FakeM fake(4);
  OtherM runs(fake, fake.p(1), GStatus::running);
  OtherM schedules(fake, fake.p(2), GStatus::running);
  schedules.m()->curg.store(nullptr);
  SyscallingThread thread;
  EXPECT_FALSE(set_block_on_exit_syscall(fake.p(1), &thread))
      << "the goroutine on P1 runs: its P must not be taken";
  EXPECT_EQ(status_of(runs.g()), kRunning) << "and its status must not be touched";
  EXPECT_FALSE(set_block_on_exit_syscall(fake.p(2), &thread))
      << "the M of P2 runs the scheduler, it has no goroutine (curg is null)";
  EXPECT_FALSE(set_block_on_exit_syscall(fake.p(3), &thread)) << "P3 is idle, it has no M";
}

TEST(ScanBit, HasOneHolder) {
  FakeM fake(2);
  const OtherM other(fake, fake.p(1), GStatus::syscall);
  SyscallingThread first;
  SyscallingThread second;
  ASSERT_TRUE(set_block_on_exit_syscall(fake.p(1), &first)) << "P1 is with an M in a system call";
  EXPECT_FALSE(set_block_on_exit_syscall(fake.p(1), &second))
      << "somebody holds the scan bit already: two holders would both take the P";
  first.resume();
}

TEST(ScanBit, ComparesTheWiringAgain) {
  GORO_STEP("P1 names an M whose goroutine is in a call, but that M has lost P1");
  {
    FakeM fake(2);
    OtherM other(fake, fake.p(1), GStatus::syscall);
    other.m()->p = nullptr;
    SyscallingThread thread;
    EXPECT_FALSE(set_block_on_exit_syscall(fake.p(1), &thread))
        << "the M that was read does not have P1 any more, and whoever has it must keep it: "
           "compare M, G and P again under the scan bit";
    EXPECT_EQ(status_of(other.g()), kInSyscall)
        << "the scan bit must be cleared when the wiring does not fit, or the goroutine waits for "
           "ever";
  }
  GORO_STEP("the goroutine is in a call, but on another M than the one that P1 names");
  {
    FakeM fake(3);
    OtherM other(fake, fake.p(1), GStatus::syscall);
    OtherM its_m(fake, fake.p(2), GStatus::running);
    other.g()->m = its_m.m();
    SyscallingThread thread;
    EXPECT_FALSE(set_block_on_exit_syscall(fake.p(1), &thread))
        << "the scan bit holds a goroutine on another M; P1's M is free to use it";
    EXPECT_EQ(status_of(other.g()), kInSyscall)
        << "the scan bit must be cleared when the wiring does not fit";
  }
}

TEST(TakeP, LeavesThePIdleAndNobodys) {
  FakeM fake(2);
  OtherM other(fake, fake.p(1), GStatus::syscall);
  GORO_STEP("the M of P1 is in a system call; its P is taken");
  const SyscallingThread thread{other.g(), other.m(), fake.p(1)};
  thread.take_p();
  EXPECT_EQ(fake.p(1)->m.get(), nullptr) << "the P must not know the M any more";
  EXPECT_EQ(other.m()->p.get(), nullptr)
      << "the M must not know the P any more: by that it sees, when it comes back, what happened";
  EXPECT_EQ(status_of(fake.p(1)), kPIdle) << "a P without an M is idle";
  EXPECT_EQ(fake.p(1)->syscalltick.get(), 1U)
      << "for P1 the call is over, so its syscalltick goes up";
  EXPECT_FALSE(on_idle_list(fake.p(1))) << "the P is in the taker's hands, on no list yet";
}

TEST(TakeP, ForAStopOfTheWorldItIsStopped) {
  FakeM fake(2);
  OtherM other(fake, fake.p(1), GStatus::syscall);
  GORO_STEP("the M of P1 is in a system call; its P is taken with gcstop_p");
  const SyscallingThread thread{other.g(), other.m(), fake.p(1)};
  thread.gcstop_p();
  EXPECT_EQ(fake.p(1)->m.get(), nullptr) << "the P must not know the M any more";
  EXPECT_EQ(other.m()->p.get(), nullptr) << "the M must not know the P any more";
  EXPECT_EQ(status_of(fake.p(1)), kPStopped) << "the P must be stopped, not idle";
  EXPECT_EQ(fake.p(1)->syscalltick.get(), 1U) << "for P1 the call is over";
}

TEST(StopTheWorld, TakesEveryPThatIsInACall) {
  FakeM fake(4);
  OtherM in_call(fake, fake.p(1), GStatus::syscall);
  const OtherM runs(fake, fake.p(2), GStatus::running);
  OtherM in_call_too(fake, fake.p(3), GStatus::syscall);
  GORO_STEP("three Ps have yet to stop; P1 and P3 are in calls, P2 runs; gcstop_syscall_ps");
  sched.gcwaiting.store(true);
  sched.stopwait = 3;
  EXPECT_FALSE(gcstop_syscall_ps()) << "P2 runs still, so not everybody has stopped";
  EXPECT_EQ(sched.stopwait, 1) << "stopwait must go down by 1 for each P that was taken";
  EXPECT_EQ(status_of(fake.p(1)), kPStopped) << "P1 was in a call: it must be stopped";
  EXPECT_EQ(status_of(fake.p(2)), kPRunning) << "P2 runs: it stops by itself, later";
  EXPECT_EQ(status_of(fake.p(3)), kPStopped) << "P3 was in a call: it must be stopped";
  EXPECT_EQ(status_of(in_call.g()), kInSyscall)
      << "the scan bit must be cleared (resume), or the goroutine can never come back";
  EXPECT_EQ(status_of(in_call_too.g()), kInSyscall) << "the scan bit must be cleared (resume)";
  GORO_STEP("P2 stops; gcstop_syscall_ps again");
  sched.stopwait = 0;
  EXPECT_TRUE(gcstop_syscall_ps())
      << "stopwait is 0: nobody has to wake the one who stops the world";
}

}  // namespace
}  // namespace goro::testing
