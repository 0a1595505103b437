// Step 3: starting, stopping and waking Ms.
#include "contracts/services/scheduling.h"
#include "support.h"

namespace goro::testing {
namespace {

TEST(Startm, HandsThePToTheIdleM) {
  FakeM fake(3);
  M first;
  M second;
  rest(&first);
  rest(&second);
  GORO_STEP("two Ms are idle, `second` was put last; startm(P1, spinning = false)");
  startm(fake.p(1), false);
  EXPECT_EQ(id_of(second.nextp), 1) << "the M that went idle last gets the P in its nextp";
  EXPECT_FALSE(second.spinning) << "it was not started as a spinning M";
  EXPECT_TRUE(second.park.is_set()) << "and it must be woken: m->park.wakeup()";
  EXPECT_FALSE(first.park.is_set()) << "one P, one M: the other M sleeps on";
  GORO_STEP("startm(P2, spinning = true)");
  sched.nmspinning.store(1);
  startm(fake.p(2), true);
  EXPECT_EQ(id_of(first.nextp), 2) << "the second P goes to the second M";
  EXPECT_TRUE(first.spinning) << "spinning must be set in the M before it is woken";
  EXPECT_EQ(sched.nmspinning.load(), 1) << "the caller has counted it in nmspinning already";
  EXPECT_EQ(sched.nmidle, 0) << "both Ms are off the list";
}

TEST(Startm, WithoutAPTakesAnIdleOne) {
  FakeM fake(2);
  M sleeper;
  rest(&sleeper);
  rest(fake, 1, 1);
  GORO_STEP("P1 is idle, and one M; startm(null)");
  startm(nullptr, false);
  EXPECT_EQ(id_of(sleeper.nextp), 1) << "startm(null) takes an idle P by itself";
  EXPECT_EQ(sched.npidle.load(), 0) << "and off the idle list";
  GORO_STEP("no P is idle any more, another M is; startm(null)");
  M other;
  rest(&other);
  startm(nullptr, false);
  EXPECT_FALSE(other.park.is_set()) << "no P is idle: startm(null) does nothing";
  EXPECT_EQ(sched.midle, &other) << "the M stays on the list of idle Ms";
}

TEST(Startm, RefusesWhatCannotBe) {
  FakeM fake(2);
  M sleeper;
  rest(&sleeper);
  GORO_STEP("each in a process of its own: a spinning M without a P");
  ChildEnd ending = in_short_child([&] { startm(nullptr, true); });
  EXPECT_TRUE(ending.fatal_with("startm: P required for spinning=true"))
      << "whoever counted an M as spinning has a P for it. " << ending.told();
  GORO_STEP("the idle M says that it spins");
  ending = in_short_child([&] {
    sleeper.spinning = true;
    startm(fake.p(1), false);
  });
  EXPECT_TRUE(ending.fatal_with("startm: m is spinning"))
      << "an M on the idle list does not spin. " << ending.told();
  GORO_STEP("the idle M has a P in its hands already");
  ending = in_short_child([&] {
    sleeper.nextp = fake.p(0);
    startm(fake.p(1), false);
  });
  EXPECT_TRUE(ending.fatal_with("startm: m has p"))
      << "somebody else has woken this M. " << ending.told();
  GORO_STEP("a P with goroutines for a spinning M");
  ending = in_short_child([&] {
    put_in_ring(fake.p(1), fake.g());
    startm(fake.p(1), true);
  });
  EXPECT_TRUE(ending.fatal_with("startm: p has runnable gs"))
      << "a spinning M looks for work elsewhere; this P has some of its own. " << ending.told();
}

TEST(Stopm, SleepsUntilItIsGivenAP) {
  FakeM fake(2);
  atomic<bool> stopped{false};
  int got = -1;
  P* left_in_hand = nullptr;
  std::thread other([&] {
    const FakeThread m(nullptr);
    stopm();
    got = id_of(getm()->p);
    left_in_hand = getm()->nextp;
    stopped.store(true);
  });
  GORO_STEP("an M without a P calls stopm; waited until it is on the list of idle Ms");
  wait_until([] { return locked([] { return sched.nmidle == 1; }); });
  work_for(kMuchWork / 6);
  const bool early = stopped.load();
  GORO_STEP("startm(P1)");
  startm(fake.p(1), false);
  other.join();
  EXPECT_FALSE(early) << "stopm returned although nobody had started the M";
  EXPECT_EQ(got, 1) << "after stopm the M has the P that it was handed (nextp)";
  EXPECT_EQ(left_in_hand, nullptr) << "nextp is empty again: startm wants it so the next time";
}

TEST(Stopm, AStoppedMUsesNoProcessor) {
  FakeM fake(2);
  std::thread other([&] {
    const FakeThread m(nullptr);
    stopm();
  });
  wait_until([] { return locked([] { return sched.nmidle == 1; }); });
  GORO_STEP("an M is in stopm; this thread works for 60 ms of processor time");
  const std::int64_t before = processor_time_of(other);
  const std::int64_t mine = work_for(kMuchWork);
  const std::int64_t its = processor_time_of(other) - before;
  startm(fake.p(1), false);
  other.join();
  EXPECT_LT(its, mine / 5) << "an idle M must sleep in the kernel (mpark); this one was busy "
                              "waiting: it used "
                           << its / 1000 << " µs of processor time while this thread used "
                           << mine / 1000 << " µs";
}

TEST(Stopm, RefusesAnMThatIsNotIdle) {
  FakeM fake;
  GORO_STEP("each in a process of its own: stopm on an M that has a P");
  ChildEnd ending = in_short_child([] {
    sleeping_is_a_deadlock();
    stopm();
  });
  EXPECT_TRUE(ending.fatal_with("stopm holding p"))
      << "the P would sleep along with the M. " << ending.told();
  GORO_STEP("stopm on an M that spins");
  ending = in_short_child([&] {
    fake.m()->p = nullptr;
    fake.m()->spinning = true;
    sleeping_is_a_deadlock();
    stopm();
  });
  EXPECT_TRUE(ending.fatal_with("stopm spinning"))
      << "an M that sleeps and counts as spinning keeps all others from being woken. "
      << ending.told();
}

TEST(Wakep, StartsOneSpinningM) {
  FakeM fake(3);
  M one;
  M two;
  rest(&one);
  rest(&two);
  rest(fake, 1, 2);
  GORO_STEP("P1 and P2 are idle, and two Ms; nobody spins; wakep()");
  wakep();
  EXPECT_EQ(sched.nmspinning.load(), 1) << "the M that was started counts as spinning";
  EXPECT_TRUE(two.spinning) << "and knows it";
  EXPECT_EQ(id_of(two.nextp), 2) << "it has the idle P that was put last";
  EXPECT_TRUE(two.park.is_set()) << "it was woken";
  GORO_STEP("wakep() again, while that M spins");
  wakep();
  EXPECT_EQ(sched.npidle.load(), 1) << "while one M looks for work, no other is woken";
  EXPECT_EQ(sched.nmspinning.load(), 1);
}

TEST(Wakep, DoesNothingWhenEveryPIsBusy) {
  FakeM fake(2);
  M sleeper;
  rest(&sleeper);
  GORO_STEP("no P is idle, one M is; wakep() while this thread holds sched.lock");
  // With the lock taken, a wakep that wants it never returns: the time limit would say so late.
  sched.lock.lock();
  const ChildEnd ending = in_short_child([] { wakep(); });
  sched.lock.unlock();
  EXPECT_TRUE(ending.status == 0)
      << "when every P is busy, wakep is one load (npidle): it is called at every go statement, "
         "and "
         "must not take sched.lock. It did not come back. "
      << ending.told();
  wakep();
  EXPECT_EQ(sched.nmspinning.load(), 0) << "nobody was started, so nobody counts as spinning";
  EXPECT_FALSE(sleeper.park.is_set()) << "there is no P to give to the M";
}

TEST(Wakep, CountsBackWhenThePIsGone) {
  FakeM fake(2);
  M sleeper;
  rest(&sleeper);
  GORO_STEP("npidle is 1, but the idle P was taken before wakep had the lock; wakep()");
  sched.npidle.store(1);
  wakep();
  EXPECT_EQ(sched.nmspinning.load(), 0)
      << "wakep counted an M as spinning and then started none: it must count back. A spinning "
         "count that leaks means that nobody is ever woken again";
  EXPECT_TRUE(sched.needspinning.load())
      << "wakep knows of work and got no P: pidleget_spinning, not pidleget";
  EXPECT_FALSE(sleeper.park.is_set());
}

// Whole programs.

TEST(Program, AThreadForEachPAndNoMore) {
  static constexpr int kProcs = 4;
  std::int64_t ms = 0;
  GORO_STEP("four Ps: 4 goroutines compute at the same time, each until all four do");
  goro::run(
      [&] {
        WaitGroup group;
        std::atomic<int> running{0};
        for (int i = 0; i < kProcs; ++i) {
          group.go([r = &running] {
            // Without giving way: each needs a P and a thread of its own.
            r->fetch_add(1);
            while (r->load() < kProcs) cpu_relax();
          });
        }
        group.wait();
        for (int i = 0; i < 200; ++i) {
          group.go([] { yield(); });
          if (i % 10 == 0) group.wait();
        }
        group.wait();
        on_system_stack([&] { ms = locked([] { return sched.mcount; }); });
      },
      {.procs = kProcs});
  GORO_STEP("the program has ended");
  EXPECT_GE(ms, kProcs) << "four goroutines ran at the same time: there were four Ms at least";
  EXPECT_LE(ms, 2 * kProcs + 1)
      << "idle Ms must be used again (mget) before a new thread is made: there are sysmon's, one "
         "for "
         "each P, and a few that were on their way to sleep when somebody was needed";
}

TEST(Program, IdleMsUseNoProcessor) {
  std::int64_t its = 0;
  std::int64_t mine = 0;
  GORO_STEP("four Ps, and nothing to do; goroutine 1 works in a system call of 60 ms");
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < 50; ++i) group.go([] { yield(); });
        group.wait();
        system_call([&] {
          const auto used = [] {
            return locked([] {
              std::int64_t sum = 0;
              for (const M* mp = allm; mp != nullptr; mp = mp->alllink) {
                if (!mp->is_sysmon && mp != getm()) sum += m_cpu_time(mp);
              }
              return sum;
            });
          };
          wait_until([] { return sched.npidle.load() >= 3 && sched.nmspinning.load() == 0; });
          const std::int64_t before = used();
          mine = work_for(kMuchWork);
          its = used() - before;
        });
      },
      {.procs = 4});
  EXPECT_LT(its, mine / 5) << "the idle Ms were busy waiting: they used " << its / 1000
                           << " µs of processor time while nothing was to be done";
}

TEST(Program, PingPongOverFourPs) {
  GORO_STEP("twenty pairs of goroutines pass a number to and fro 200 times on four Ps");
  constexpr int kPairs = 20;
  static constexpr int kRounds = 200;
  std::vector<int> sums(kPairs);
  goro::run(
      [&] {
        WaitGroup group;
        for (int& sum : sums) {
          const Channel<int> there;
          const Channel<int> back;
          group.go([there, back] {
            for (int i = 0; i < kRounds; ++i) back.send(*there.receive() + 1);
          });
          group.go([there, back, s = &sum] {
            for (int i = 0; i < kRounds; ++i) {
              there.send(i);
              *s += *back.receive() - i;
            }
          });
        }
        group.wait();
      },
      {.procs = 4});
  for (const int sum : sums) {
    ASSERT_EQ(sum, kRounds) << "each answer is one more than the question; a pair lost one";
  }
}

}  // namespace
}  // namespace goro::testing
