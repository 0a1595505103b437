// Step 5: goroutines that keep their thread.
#include <unistd.h>

#include <limits>

#include "support.h"

namespace goro::testing {
namespace {

TEST(LockThread, LinksOnceAndCountsEachCall) {
  FakeM fake;
  G* gp = fake.g(GStatus::running);
  run_on(fake.m(), gp);
  GORO_STEP("G1 runs here; dolock_os_thread twice");
  EXPECT_TRUE(dolock_os_thread()) << "it could be counted";
  EXPECT_EQ(fake.m()->lockedg.get(), gp) << "the M belongs to the goroutine";
  EXPECT_EQ(gp->lockedm.get(), fake.m()) << "and the goroutine to the M";
  EXPECT_TRUE(dolock_os_thread());
  EXPECT_EQ(fake.m()->locked_ext, 2U) << "each call counts in locked_ext";
  GORO_STEP("dounlock_os_thread once");
  dounlock_os_thread();
  EXPECT_EQ(fake.m()->lockedg.get(), gp) << "locks nest: locked twice and unlocked once is locked";
  GORO_STEP("dounlock_os_thread again");
  dounlock_os_thread();
  EXPECT_EQ(fake.m()->lockedg.get(), nullptr) << "unlocked as often as locked: the M is free";
  EXPECT_EQ(gp->lockedm.get(), nullptr) << "and the goroutine too";
  EXPECT_EQ(fake.m()->locked_ext, 0U);
}

TEST(LockThread, UnlockingTooOftenDoesNothing) {
  FakeM fake;
  run_on(fake.m(), fake.g(GStatus::running));
  GORO_STEP("dounlock_os_thread without a lock");
  dounlock_os_thread();
  EXPECT_EQ(fake.m()->locked_ext, 0U) << "the count must not go below 0";
  GORO_STEP("dolock_os_thread");
  dolock_os_thread();
  EXPECT_EQ(fake.m()->locked_ext, 1U) << "one lock after a useless unlock is one lock";
}

TEST(LockThread, TheRuntimesOwnLockStays) {
  FakeM fake;
  G* gp = fake.g(GStatus::running);
  run_on(fake.m(), gp);
  GORO_STEP("the runtime holds the lock too (locked_int is 1); lock and unlock");
  fake.m()->locked_int = 1;
  dolock_os_thread();
  dounlock_os_thread();
  EXPECT_EQ(fake.m()->lockedg.get(), gp)
      << "the program unlocks only what the program has locked: locked_int keeps the link";
}

TEST(LockThread, TheCountCannotOverflow) {
  FakeM fake;
  G* gp = fake.g(GStatus::running);
  run_on(fake.m(), gp);
  dolock_os_thread();
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  fake.m()->locked_ext = kMost;
  GORO_STEP("locked 2^32 - 1 times; dolock_os_thread once more");
  EXPECT_FALSE(dolock_os_thread()) << "one more does not fit into 32 bits: false";
  EXPECT_EQ(fake.m()->locked_ext, kMost) << "and nothing has changed";
}

TEST(LockThread, WaitingLockedMsAreCounted) {
  FakeM fake;
  GORO_STEP("incidlelocked(1), incidlelocked(1), incidlelocked(-1)");
  incidlelocked(1);
  incidlelocked(1);
  incidlelocked(-1);
  EXPECT_EQ(sched.nmidlelocked, 1) << "nmidlelocked counts the Ms that wait for their goroutine";
  EXPECT_TRUE(sched.lock.try_lock()) << "incidlelocked takes sched.lock and gives it back";
  sched.lock.unlock();
  sched.nmidlelocked = 0;
  GORO_STEP("there is one M in all: incidlelocked(1), in a process of its own");
  const ChildEnd ending = in_short_child([] {
    sleeping_is_a_deadlock();
    incidlelocked(1);
  });
  EXPECT_TRUE(ending.status == 2 && ending.err.find("deadlock!") != std::string::npos)
      << "one M less runs: checkdead() must look whether it was the last, or a deadlock is not "
         "noticed. "
      << ending.told();
}

TEST(LockThread, RefusesWhatIsNotLinked) {
  FakeM fake(2);
  G* gp = fake.g();
  M other;
  GORO_STEP("each in a process of its own: stoplockedm on an M that is locked to nobody");
  sched.nmspinning.store(1);  // somebody looks for work: handoffp need not start an M for that
  ChildEnd ending = in_short_child([] {
    sleeping_is_a_deadlock();
    stoplockedm();
  });
  EXPECT_TRUE(ending.fatal_with("stoplockedm: inconsistent locking"))
      << "nobody would ever wake this M. " << ending.told();
  GORO_STEP("startlockedm of a goroutine that is locked to this very M");
  ending = in_short_child([&] {
    gp->lockedm = fake.m();
    startlockedm(gp);
  });
  EXPECT_TRUE(ending.fatal_with("startlockedm: locked to me"))
      << "the M would give its P to itself and sleep. " << ending.told();
  GORO_STEP("startlockedm when the other M has a P in its hands already");
  ending = in_short_child([&] {
    gp->lockedm = &other;
    other.nextp = fake.p(1);
    startlockedm(gp);
  });
  EXPECT_TRUE(ending.fatal_with("startlockedm: m has p"))
      << "somebody else has woken that M: a P would be lost. " << ending.told();
}

TEST(LockThread, ThePGoesToTheLockedMAndBack) {
  FakeM fake(2);
  G* gp = fake.g(GStatus::waiting);
  int p_of_locked = -1;
  sched.nmspinning.store(1);  // somebody looks for work: handoffp need not start an M for that
  int counted_as_idle = -1;
  std::thread other([&] {
    const FakeThread m(fake.p(1));
    gp->lockedm = getm();
    getm()->lockedg = gp;
    stoplockedm();
    p_of_locked = id_of(getm()->p);
    counted_as_idle = locked([] { return sched.nmidlelocked; });
    // The goroutine's slice is over: the P of the other one back to where it came from.
    wait_until([] { return locked([] { return sched.nmidle == 1; }); });
    startm(nullptr, false);
  });
  GORO_STEP("the M of P1 is locked to G1, which waits: stoplockedm. Waited until it sleeps");
  wait_until([] { return locked([] { return sched.nmidlelocked == 1; }); });
  const bool handed_on = locked([] { return sched.npidle.load() == 1; });
  EXPECT_TRUE(handed_on)
      << "a locked M that cannot run must give its P to others (handoffp): P1 has "
         "nothing to run, so it is on the idle list";
  if (!handed_on) rest(fake, 1, 1);  // so that the test ends
  GORO_STEP("G1 is runnable, and this M has found it: startlockedm(G1)");
  gp->atomicstatus.store(static_cast<std::uint32_t>(GStatus::runnable));
  startlockedm(gp);
  other.join();
  EXPECT_EQ(p_of_locked, 0) << "startlockedm hands this M's P, P0, to the M of the goroutine";
  EXPECT_EQ(counted_as_idle, 0) << "that M runs again: nmidlelocked counts it no longer";
  EXPECT_EQ(id_of(fake.m()->p), 1) << "this M slept (stopm) until it was given a P: P1";
}

// Whole programs.

TEST(Program, LockedGoroutinesKeepTheirThread) {
  GORO_STEP("four locked goroutines and four others yield on two Ps; each notes its thread");
  std::atomic<int> moved{0};
  std::atomic<int> guests{0};
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < 8; ++i) {
          group.go([m = &moved, g = &guests, i] {
            if (i % 2 == 0) {
              lock_os_thread();
              const pid_t thread = gettid();
              for (int n = 0; n < 100; ++n) {
                yield();
                if (gettid() != thread) m->fetch_add(1);
              }
              unlock_os_thread();
            } else {
              for (int n = 0; n < 100; ++n) {
                yield();
                if (getm()->lockedg != nullptr) g->fetch_add(1);
              }
            }
          });
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(moved.load(), 0) << "a goroutine that is locked must find itself on the same thread "
                                "after every yield";
  EXPECT_EQ(guests.load(), 0) << "nobody else may run on a thread that is locked to a goroutine";
}

TEST(Program, AThreadEndsWithItsLockedGoroutine) {
  std::int64_t before = 0;
  std::int64_t after = 0;
  GORO_STEP("40 times: a goroutine locks its thread and ends without unlocking");
  goro::run(
      [&] {
        WaitGroup group;
        const auto count = [] {
          return on_system_stack([] { return locked([] { return sched.mcount; }); });
        };
        for (int round = 0; round < 40; ++round) {
          group.go([] {
            lock_os_thread();
            yield();
          });
          group.wait();
          if (round == 5) before = count();
        }
        after = count();
      },
      {.procs = 2});
  EXPECT_LE(after, before + 3) << "the thread of a goroutine that ends while it is locked must end "
                                  "too: it may be in any state. The Ms that exist grow";
}

TEST(Program, ALockedGoroutineThatWaitsForEverIsADeadlock) {
  GORO_STEP("in a process of its own: a locked goroutine and goroutine 1 wait for ever");
  const ChildEnd ending = in_short_child([] {
    goro::run(
        [] {
          const Channel<int> never;
          go([never] {
            lock_os_thread();
            never.receive();
          });
          never.receive();
        },
        {.procs = 2});
  });
  EXPECT_TRUE(ending.fatal_with("all goroutines are asleep - deadlock!"))
      << "an M that waits for its goroutine counts as idle (incidlelocked), so this is a deadlock. "
      << ending.told();
}

}  // namespace
}  // namespace goro::testing
