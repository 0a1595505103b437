// Into a system call and back: what one M does, step by step. Nothing runs at the same time here.
#include "support.h"

namespace goro::testing {
namespace {

TEST(Enter, OnlyTheStatusChanges) {
  FakeM fake;
  G* gp = running(fake);
  GORO_STEP("goroutine 1 calls entersyscall on an M with P0");
  entersyscall();
  EXPECT_EQ(status_of(gp), kInSyscall) << "the goroutine's status must say that it is in a call";
  EXPECT_EQ(fake.m()->p.get(), fake.p(0)) << "the P stays wired to its M: most calls are short";
  EXPECT_EQ(fake.p(0)->m.get(), fake.m()) << "the P stays wired to its M: most calls are short";
  EXPECT_EQ(status_of(fake.p(0)), kPRunning) << "the P has no status for calls; it stays running";
  EXPECT_EQ(fake.m()->oldp, fake.p(0))
      << "the M must remember its P (oldp) to ask for it when it comes back";
}

TEST(Enter, WakesSysmonIfItSleeps) {
  FakeM fake;
  running(fake);
  GORO_STEP("sysmon sleeps (sysmonwait is true); goroutine 1 calls entersyscall");
  sched.sysmonwait.store(true);
  entersyscall();
  EXPECT_TRUE(sched.sysmonnote.is_set())
      << "sysmon must be woken: nobody else would take the P from a call that lasts";
  EXPECT_FALSE(sched.sysmonwait.load())
      << "sysmonwait must be false again, or the next one wakes sysmon a second time";
  EXPECT_TRUE(lock_is_free()) << "sched.lock must be given back";
}

TEST(Enter, LetsAnAwakeSysmonBe) {
  FakeM fake;
  running(fake);
  GORO_STEP(
      "sysmon is awake, and somebody holds sched.lock; goroutine 1 calls entersyscall, which "
      "needs no lock then (a test that ends by its time limit waited for it)");
  sched.lock.lock();
  entersyscall();
  sched.lock.unlock();
  EXPECT_FALSE(sched.sysmonnote.is_set()) << "sysmon was awake: there was nobody to wake";
}

TEST(FastPath, ComesBackToItsP) {
  FakeM fake;
  G* gp = running(fake);
  GORO_STEP(
      "entersyscall; nobody takes the P; exitsyscall, while somebody holds sched.lock (a "
      "test that ends by its time limit waited for it)");
  entersyscall();
  sched.lock.lock();
  const bool has_p = exitsyscall();
  sched.lock.unlock();
  EXPECT_TRUE(has_p) << "the M has its P still, so exitsyscall must return true";
  EXPECT_EQ(status_of(gp), kRunning) << "the goroutine must run again";
  EXPECT_EQ(fake.m()->p.get(), fake.p(0)) << "and with its old P";
}

TEST(FastPath, CountsTheEndOfTheCall) {
  FakeM fake;
  running(fake);
  GORO_STEP("two calls, one after the other");
  for (std::uint32_t calls = 1; calls <= 2; ++calls) {
    entersyscall();
    exitsyscall();
    EXPECT_EQ(fake.p(0)->syscalltick.get(), calls)
        << "syscalltick must go up by 1 for each call that ends: by it sysmon tells one long call "
           "from many short ones";
    EXPECT_EQ(fake.m()->oldp, nullptr) << "oldp is for the time of the call";
  }
}

TEST(SlowPath, TakesAnIdleP) {
  FakeM fake(2);
  const G* gp = running(fake);
  GORO_STEP("the P is taken during the call; P1 is idle; exitsyscall");
  entersyscall();
  lose_p(fake);
  put_on_idle_list(fake.p(1));
  ASSERT_TRUE(exitsyscall()) << "there is an idle P: the goroutine can go on at once";
  EXPECT_EQ(status_of(gp), kRunning) << "the goroutine must run again";
  EXPECT_EQ(fake.m()->p.get(), fake.p(1)) << "the M must hold the idle P now (acquirep)";
  EXPECT_EQ(fake.p(1)->m.get(), fake.m()) << "and the P must know its M";
  EXPECT_EQ(status_of(fake.p(1)), kPRunning) << "a P with an M is running";
  EXPECT_FALSE(on_idle_list(fake.p(1))) << "a P that runs is on no list of idle ones";
  EXPECT_EQ(fake.p(1)->syscalltick.get(), 1U) << "the call ends on P1: its syscalltick goes up";
  EXPECT_EQ(fake.m()->oldp, nullptr) << "oldp is for the time of the call";
  EXPECT_TRUE(lock_is_free()) << "sched.lock must be given back";
}

TEST(SlowPath, WithoutAnIdlePItSaysNo) {
  FakeM fake(2);
  const G* gp = running(fake);
  GORO_STEP("the P is taken during the call and no P is idle; exitsyscall");
  entersyscall();
  lose_p(fake);
  EXPECT_FALSE(exitsyscall()) << "there is no P for this M, so exitsyscall must return false";
  EXPECT_EQ(fake.m()->p.get(), nullptr) << "the M must not keep a P that was taken from it";
  EXPECT_EQ(status_of(gp), kRunning)
      << "the goroutine has left the status syscall in any case; exitsyscall_no_p goes on from "
         "running";
}

TEST(SlowPath, TakesItsOldPFromAnotherCall) {
  FakeM fake(2);
  running(fake);
  entersyscall();
  lose_p(fake);
  GORO_STEP(
      "P0 is taken during the call, and the M that got it is in a call itself now; P1 is "
      "idle; exitsyscall");
  OtherM other(fake, fake.p(0), GStatus::syscall);
  put_on_idle_list(fake.p(1));
  EXPECT_TRUE(exitsyscall()) << "there are two Ps to be had";
  EXPECT_EQ(fake.m()->p.get(), fake.p(0))
      << "the old P comes before an idle one: its queue and caches are this goroutine's";
  EXPECT_EQ(other.m()->p.get(), nullptr) << "the other M has lost its P";
  EXPECT_EQ(status_of(other.g()), kInSyscall)
      << "the other goroutine is in its call still, and its scan bit is clear again (resume)";
  EXPECT_TRUE(on_idle_list(fake.p(1))) << "the idle P was not needed";
}

TEST(SlowPath, AnOldPThatRunsIsLeftAlone) {
  FakeM fake(2);
  running(fake);
  entersyscall();
  lose_p(fake);
  GORO_STEP("P0 is taken during the call, and runs another goroutine now; exitsyscall");
  OtherM other(fake, fake.p(0), GStatus::running);
  EXPECT_FALSE(exitsyscall()) << "no P is free: exitsyscall must return false";
  EXPECT_EQ(other.m()->p.get(), fake.p(0)) << "a P that runs a goroutine must not be taken from it";
}

TEST(SlowPath, WakesSysmonWhenAPBeginsToRun) {
  FakeM fake(2);
  GORO_STEP("sysmon sleeps; exitsyscall_try_get_p finds no P");
  sched.sysmonwait.store(true);
  EXPECT_EQ(exitsyscall_try_get_p(nullptr), nullptr) << "no P is idle";
  EXPECT_FALSE(sched.sysmonnote.is_set()) << "no P begins to run: sysmon may go on sleeping";
  GORO_STEP("P1 becomes idle; exitsyscall_try_get_p takes it");
  put_on_idle_list(fake.p(1));
  EXPECT_EQ(exitsyscall_try_get_p(nullptr), fake.p(1)) << "P1 is idle: it must be returned";
  EXPECT_TRUE(sched.sysmonnote.is_set())
      << "a P begins to run while sysmon sleeps for good: it must be woken, or nobody ends long "
         "slices and long calls";
  EXPECT_FALSE(sched.sysmonwait.load()) << "sysmonwait must be false again";
  EXPECT_TRUE(lock_is_free()) << "sched.lock must be given back";
}

TEST(SlowPath, TakesNoLockToFindNoIdleP) {
  FakeM fake(2);
  GORO_STEP(
      "npidle is 0 and somebody holds sched.lock; exitsyscall_try_get_p needs no lock to say "
      "no (a test that ends by its time limit waited for it)");
  sched.lock.lock();
  const P* pp = exitsyscall_try_get_p(nullptr);
  sched.lock.unlock();
  EXPECT_EQ(pp, nullptr) << "no P is idle";
}

}  // namespace
}  // namespace goro::testing
