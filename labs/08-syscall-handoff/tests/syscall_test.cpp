// Into a system call and back, and who runs meanwhile.
#include "contracts/syscall.h"

#include <unistd.h>

#include <atomic>

#include "contracts/getg.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace goro::testing {
namespace {

// A goroutine that this M runs.
G* running(FakeM& fake) {
  G* gp = fake.g(GStatus::running);
  gp->m = fake.m();
  fake.m()->curg.store(gp);
  return gp;
}

TEST(Syscall, ComesBackToItsP) {
  FakeM fake(2);
  const G* gp = running(fake);
  entersyscall();
  EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::syscall));
  EXPECT_EQ(fake.m()->p.get(), fake.p(0)) << "the P stays with the M until somebody takes it";
  EXPECT_TRUE(exitsyscall());
  EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::running));
  EXPECT_EQ(fake.p(0)->syscalltick.get(), 1U);
}

TEST(Syscall, TheScanBitKeepsItInside) {
  FakeM fake(2);
  const G* gp = running(fake);
  SyscallingThread thread;
  EXPECT_FALSE(set_block_on_exit_syscall(fake.p(0), &thread)) << "it is not in a system call";
  entersyscall();
  ASSERT_TRUE(set_block_on_exit_syscall(fake.p(0), &thread));
  EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::syscall) | kGScan);
  thread.take_p();
  EXPECT_EQ(fake.m()->p.get(), nullptr);
  EXPECT_EQ(fake.p(0)->m.get(), nullptr);
  thread.resume();
  EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::syscall));
  EXPECT_FALSE(exitsyscall()) << "its P is gone and no other is idle";
}

TEST(Handoff, OthersRunWhileOneIsBlocked) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  bool read_it = false;
  goro::run(
      [&] {
        WaitGroup group;
        group.go([fd = fds[0], out = &read_it] {
          char byte = 0;
          *out = system_call([&] { return read(fd, &byte, 1); }) == 1;
        });
        yield();  // goroutine 2 is in read() now, with our only P
        EXPECT_EQ(write(fds[1], "x", 1), 1);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(read_it);
  close(fds[0]);
  close(fds[1]);
}

TEST(Sysmon, PausesGrow) {
  EXPECT_EQ(sysmon_delay(0, 10'000), 20U);
  EXPECT_EQ(sysmon_delay(1, 20), 20U);
  EXPECT_EQ(sysmon_delay(50, 20), 20U);
  EXPECT_EQ(sysmon_delay(51, 20), 40U);
  EXPECT_EQ(sysmon_delay(90, 8'000), 10'000U);
}

TEST(Sysmon, AComputingGoroutineGivesWay) {
  std::atomic<bool> stop{false};
  goro::run(
      [&] {
        WaitGroup group;
        group.go([s = &stop] {
          while (!s->load()) num_cpu();
        });
        yield();
        stop.store(true);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(stop.load());
}

}  // namespace
}  // namespace goro::testing
