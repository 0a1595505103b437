// Ms that come back from system calls while others want their Ps, taking turns at every atomic
// access, as a seed decides.
#include <gtest/gtest.h>

#include "contracts/services/clock.h"
#include "goro/goro.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 2000;

// As sysmon does it. True if P `pp` is the caller's now.
bool take(P* pp) {
  SyscallingThread thread;
  if (!set_block_on_exit_syscall(pp, &thread)) return false;
  thread.take_p();
  thread.resume();
  return true;
}

// Goroutine 1 runs on the test's M. The story calls that "M0".
void begin(FakeM& fake) {
  const sim::Undisturbed quiet;
  running(fake);
  sim::name(&fake.m()->curg, sizeof(fake.m()->curg), "M0.curg");
}

}  // namespace

// [taken_or_kept]
TEST(Simulated, APIsTakenOrKeptButNotBoth) {
  GORO_STEP(
      "goroutine 1 (\"main\") made two system calls; a taker took its P from one of them, if it "
      "could");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    begin(fake);
    bool taken = false;
    sim::Threads others;
    others.start("taker", [&] { taken = take(fake.p(0)); });
    int kept = 0;
    for (int call = 0; call < 2; ++call) {
      entersyscall();
      if (!exitsyscall()) break;
      ++kept;
      GORO_SIMULATION_POINT("the goroutine uses the P");
      EXPECT_EQ(fake.p(0)->m.get(), fake.m()) << "exitsyscall returned true, and somebody took the "
                                                 "P from the M while the goroutine ran";
    }
    others.join();
    EXPECT_EQ(fake.m()->p.get(), taken ? nullptr : fake.p(0))
        << (taken ? "the taker has the P, and the M believes that it has it too"
                  : "nobody took the P, and the M does not have it");
    EXPECT_TRUE(!taken || kept < 2)
        << "the taker has the P, and exitsyscall said that the M has it";
  });
}
// [/taken_or_kept]

TEST(Simulated, TwoTakersTakeAPOnce) {
  GORO_STEP(
      "goroutine 1 was in a system call with P0; one taker took P0 and began to use it on an M of "
      "its own, another one wanted it too");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    begin(fake);
    entersyscall();
    P* const pp = fake.p(0);
    int taken = 0;
    sim::Threads others;
    others.start("user", [&] {
      if (!take(pp)) return;
      ++taken;
      const FakeThread thread(nullptr);
      acquirep(pp);
      GORO_SIMULATION_POINT("uses P0");
      EXPECT_EQ(pp->m.get(), getm())
          << "P0 was taken from an M that does not have it, and so from its new M: compare M, G "
             "and P again when the scan bit is set";
      if (getm()->p != nullptr) releasep();
    });
    if (take(pp)) ++taken;
    others.join();
    EXPECT_EQ(taken, 1) << "P0 must be taken by one of the two, and by one only: compare M, G and "
                           "P again when the scan bit is set";
  });
}

TEST(Simulated, RetakeTakesThePOrLeavesIt) {
  GORO_STEP(
      "goroutine 1 (\"main\") came back from its system call while sysmon looked at its P twice; "
      "another goroutine was in the queue of that P");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    begin(fake);
    P* const pp = fake.p(0);
    const Sleepers sleepers;
    {
      const sim::Undisturbed quiet;
      runq_put(pp, fake.g(), false);
    }
    entersyscall();
    sim::Threads others;
    others.start("sysmon", [] {
      const FakeThread thread(nullptr);
      constexpr std::int64_t kFirstLook = 1'000'000'000;
      retake(kFirstLook);
      retake(kFirstLook + 20'000);
    });
    const bool has_p = exitsyscall();
    if (has_p) {
      GORO_SIMULATION_POINT("the goroutine uses P0");
      EXPECT_EQ(pp->m.get(), fake.m())
          << "exitsyscall returned true, and then sysmon took the P from a goroutine that runs: "
             "take_p comes before resume";
    }
    others.join();
    EXPECT_EQ(sleepers.woken(), has_p ? 0 : 1)
        << "P0 has a goroutine in its queue: either its M keeps it, or exactly one other gets it "
           "(take_p comes before resume: a goroutine that was let go may leave with the P)";
  });
}

TEST(Simulated, APThatGoesIdleLeavesNoGoroutineBehind) {
  GORO_STEP(
      "P0 was handed off while an M took the other idle P, and a third one put a goroutine into "
      "its "
      "own queue and called wakep");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(3);
    const Sleepers sleepers;
    P* const producer = fake.p(1);
    {
      const sim::Undisturbed quiet;
      lose_p(fake);
      put_on_idle_list(fake.p(2));
    }
    G* const gp = fake.g();
    sim::Threads others;
    others.start("comes back", [&] {
      const FakeThread thread(nullptr);
      exitsyscall_try_get_p(nullptr);  // what it takes is busy for the rest of the story
    });
    others.start("producer", [&] {
      const FakeThread thread(producer);
      runq_put(producer, gp, true);
      wakep();
    });
    handoffp(fake.p(0));
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_TRUE(sched.npidle.load() == 0 || sleepers.woken() != 0)
        << "a goroutine is in a queue, a P is idle, and nobody was woken: a lost wake-up. "
           "handoffp must look at the queues of the others after pidleput";
  });
}

TEST(Simulated, APThatGoesIdleLooksAtTheGlobalQueue) {
  GORO_STEP(
      "P0 was handed off while two Ms came back from system calls; one idle P was there; who found "
      "none put its goroutine into the GRQ, under sched.lock");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    const Sleepers sleepers;
    {
      const sim::Undisturbed quiet;
      lose_p(fake);
      put_on_idle_list(fake.p(1));
    }
    G* const gs[] = {fake.g(), fake.g()};
    sim::Threads others;
    for (G* gp : gs) {
      others.start(gp == gs[0] ? "comes back" : "comes back too", [gp] {
        const FakeThread thread(nullptr);
        if (exitsyscall_try_get_p(nullptr) != nullptr) return;
        sched.lock.lock();
        if (pidleget() == nullptr) {
          sched.runq.push_back(gp);
          sched.runqsize.store(sched.runqsize.load() + 1);
        }
        sched.lock.unlock();
      });
    }
    handoffp(fake.p(0));
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_TRUE(sched.runqsize.load() == 0 || sched.npidle.load() == 0)
        << "a P is idle while a goroutine waits in the GRQ: handoffp must look at the GRQ again "
           "under sched.lock";
  });
}

TEST(Simulated, CallsComeBackOnTwoPs) {
  GORO_STEP(
      "three goroutines on two Ps made two system calls each; one of them lasted long enough for "
      "sysmon");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr int kGoroutines = 3;
    int calls[kGoroutines] = {};
    goro::run(
        [&] {
          const WaitGroup group;
          for (int& mine : calls) {
            group.go([out = &mine] {
              for (int n = 0; n < 2; ++n) {
                system_call([n] {
                  if (n == 1) goro::usleep(100);
                });
                ++*out;
              }
            });
          }
          group.wait();
        },
        {.procs = 2});
    for (const int n : calls) {
      EXPECT_EQ(n, 2) << "a goroutine was run by two Ms at once, or did not come back from a call";
    }
  });
}

TEST(Simulated, CallsComeBackToOneP) {
  GORO_STEP(
      "three goroutines at one P: each call lasted long enough for sysmon, so that two came back "
      "and found no P");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr int kGoroutines = 3;
    int calls[kGoroutines] = {};
    goro::run(
        [&] {
          const WaitGroup group;
          for (int& mine : calls) {
            group.go([out = &mine] {
              system_call([] { goro::usleep(60); });
              ++*out;
              system_call([] { goro::usleep(45); });
              ++*out;
            });
          }
          group.wait();
        },
        {.procs = 1});
    for (const int n : calls) {
      EXPECT_EQ(n, 2) << "a goroutine was run by two Ms at once, or did not come back from a call";
    }
  });
}

TEST(Simulated, TheOnlyGoroutineComesBackWhileSysmonHasItsP) {
  GORO_STEP(
      "one goroutine made system calls, and came back about when sysmon took the P: its M went to "
      "sleep, the last one to do so, while the P was in sysmon's hands");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr int kCalls = 8;
    int calls = 0;
    goro::run(
        [&] {
          // Somewhere here one ends when sysmon has just woken up.
          for (int n = 0; n < kCalls; ++n) {
            system_call([n] { goro::usleep(30 + 3 * n); });
            ++calls;
          }
        },
        {.procs = 1});
    EXPECT_EQ(calls, kCalls) << "a goroutine did not come back from a call";
  });
}

TEST(Simulated, TheWorldStopsAroundCalls) {
  GORO_STEP("two goroutines made system calls while goroutine 1 changed the number of Ps twice");
  sim::explore({.seeds = kSeeds}, [] {
    int calls[2] = {};
    goro::run(
        [&] {
          const WaitGroup group;
          for (int& mine : calls) {
            group.go([out = &mine] {
              for (int n = 0; n < 2; ++n) {
                system_call([] { goro::usleep(30); });
                ++*out;
              }
            });
          }
          max_procs(3);
          yield();
          max_procs(1);
          group.wait();
        },
        {.procs = 2});
    for (const int n : calls) {
      EXPECT_EQ(n, 2) << "a goroutine was run by two Ms at once, or did not come back from a call";
    }
  });
}

TEST(Simulated, AnIdleProgramTakesNoSteps) {
  GORO_STEP(
      "the only goroutine was in a call for 100 seconds of virtual time; a schedule of more than "
      "20,000 steps means that somebody looked again and again instead of sleeping");
  sim::explore({.seeds = 100, .most_steps = 20'000}, [] {
    bool done = false;
    goro::run(
        [&] {
          system_call([] { goro::usleep(100'000'000); });
          done = true;
        },
        {.procs = 2});
    EXPECT_TRUE(done) << "the call must come back";
  });
}

}  // namespace goro::testing
