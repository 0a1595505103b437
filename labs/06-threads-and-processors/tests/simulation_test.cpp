// Ms that take turns at every atomic access, as a seed decides.
#include "contracts/scheduler.h"
#include "contracts/services/futex.h"
#include "contracts/syscall.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 2000;

atomic<std::uint32_t>* word_of(Note* note) {
  static_assert(sizeof(Note) == sizeof(atomic<std::uint32_t>));
  sim::name(note, sizeof(*note), "the note");
  return reinterpret_cast<atomic<std::uint32_t>*>(note);
}

}  // namespace

TEST(Simulated, ASleepEndsOnlyWhenWoken) {
  GORO_STEP(
      "an M slept on a note; another thread called futex_wakeup for no reason, and later "
      "wakeup()");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    Note note;
    int written = 0;
    sim::Threads others;
    others.start("waker", [&] {
      futex_wakeup(word_of(&note), 1);
      futex_wakeup(word_of(&note), 1);
      written = 1;
      note.wakeup();
    });
    note.sleep();
    EXPECT_EQ(written, 1) << "sleep() returned before wakeup(): futex_sleep may return for no "
                             "reason, so the word must be looked at again, in a loop";
    others.join();
  });
}

TEST(Simulated, ATimedSleepLastsItsTime) {
  GORO_STEP(
      "sleep_for 100 µs (virtual time); another thread called futex_wakeup for no reason "
      "every 20 µs, three times, and never wakeup()");
  sim::explore({.seeds = kSeeds / 2},
               [] {
                 FakeM fake;
                 Note note;
                 sim::Threads others;
                 others.start("disturber", [&] {
                   for (int i = 0; i < 3; ++i) {
                     futex_wakeup(word_of(&note), 1);
                     sim::rest(20'000);
                   }
                 });
                 const std::int64_t start = nanotime();
                 EXPECT_FALSE(note.sleep_for(100'000)) << "nobody woke the note";
                 const std::int64_t slept = nanotime() - start;
                 EXPECT_GE(slept, 100'000)
                     << "sleep_for returned early: futex_sleep_for may return for no reason";
                 EXPECT_LT(slept, 130'000)
                     << "sleep_for took too long: after an early return only what is left "
                        "of the time may be slept, not all of it again";
                 others.join();
               });
}

TEST(Simulated, TwoWakersStartOneM) {
  GORO_STEP("two Ps and two Ms were idle; two Ms called wakep at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(4);
    M one;
    M two;
    rest(fake, 2, 3);
    rest(&one);
    rest(&two);
    sim::Threads others;
    others.start("other M", [&] {
      const FakeThread m(fake.p(1));
      wakep();
    });
    wakep();
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(sched.nmspinning.load(), 1) << "two wakers, and nmspinning is not 1: a look and an "
                                             "addition are two steps; compare-and-swap is one";
    EXPECT_EQ(sched.npidle.load(), 1) << "one P was given away, not more and not less";
    EXPECT_NE(one.park.is_set(), two.park.is_set()) << "one M was woken, not both";
  });
}

TEST(Simulated, StartersShareNothing) {
  GORO_STEP("two Ps and two Ms were idle; two Ms called startm(null) at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(4);
    M one;
    M two;
    rest(fake, 2, 3);
    rest(&one);
    rest(&two);
    sim::Threads others;
    others.start("other M", [&] {
      const FakeThread m(fake.p(1));
      startm(nullptr, false);
    });
    startm(nullptr, false);
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_TRUE(one.nextp != nullptr && two.nextp != nullptr) << "both Ms were started, with a P";
    EXPECT_NE(id_of(one.nextp), id_of(two.nextp))
        << "one P was handed off twice; the idle lists may be looked at under sched.lock only";
    EXPECT_EQ(sched.npidle.load(), 0) << "npidle counts every P that was taken";
  });
}

TEST(Simulated, AStopHearsEverybody) {
  GORO_STEP(
      "main stopped the world while P3 was idle, the M of P1 came to gcstopm, and the M of P2 "
      "entered a system call");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(4);
    G* gp = fake.g(GStatus::running);
    rest(fake, 3, 3);
    atomic<bool> stopped{false};
    sim::Threads others;
    others.start("busy", [&] {
      const FakeThread m(fake.p(1));
      while (!sched.gcwaiting.load()) sim::relax();
      gcstopm();
    });
    others.start("caller", [&] {
      const FakeThread m(fake.p(2));
      run_on(getm(), gp);
      entersyscall();
      while (!stopped.load()) sim::relax();
    });
    stop_the_world();
    {
      const sim::Undisturbed quiet;
      for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(name_of(status_of(fake.p(i))), std::string("gcstop"))
            << "P" << i << " is not stopped, and stop_the_world has returned";
      }
      EXPECT_EQ(sched.stopwait, 0) << "stopwait is 0 when all have stopped";
      EXPECT_FALSE(sched.stopnote.is_set())
          << "stopnote must be clear after a stop, or the next one does not wait";
    }
    stopped.store(true);
    while (locked([] { return sched.nmidle; }) == 0) sim::relax();
    start_the_world(4);
    others.join();
  });
}

TEST(Simulated, SpawnedGoroutinesRun) {
  GORO_STEP("goroutine 1 spawned three goroutines that yield twice, on three Ps, and waited");
  sim::explore({.seeds = kSeeds / 2}, [] {
    int turns[3] = {};
    goro::run(
        [&] {
          WaitGroup group;
          for (int& mine : turns) {
            group.go([m = &mine] {
              for (int n = 0; n < 2; ++n) {
                ++*m;
                yield();
              }
            });
          }
          group.wait();
        },
        {.procs = 3});
    for (const int mine : turns) EXPECT_EQ(mine, 2) << "a goroutine was lost, or run by two Ms";
  });
}

TEST(Simulated, TheNumberOfPsChanges) {
  GORO_STEP(
      "goroutine 1 set the number of Ps to 3, 1 and 2, while three goroutines yielded and one "
      "went into system calls");
  sim::explore({.seeds = kSeeds / 4}, [] {
    int turns[3] = {};
    goro::run(
        [&] {
          WaitGroup group;
          for (int& mine : turns) {
            group.go([m = &mine] {
              for (int n = 0; n < 2; ++n) {
                ++*m;
                yield();
              }
            });
          }
          group.go([] { system_call([] { usleep(50); }); });
          for (const int procs : {3, 1, 2}) max_procs(procs);
          group.wait();
        },
        {.procs = 2});
    for (const int mine : turns) EXPECT_EQ(mine, 2) << "a goroutine was lost, or run by two Ms";
  });
}

TEST(Simulated, LockedGoroutinesKeepTheirM) {
  GORO_STEP("two locked goroutines and one other yielded twice, on two Ps; each noted its M");
  sim::explore({.seeds = kSeeds / 2}, [] {
    int moved = 0;
    goro::run(
        [&] {
          WaitGroup group;
          for (int i = 0; i < 3; ++i) {
            group.go([m = &moved, i] {
              if (i != 0) lock_os_thread();
              const M* mine = getm();
              for (int n = 0; n < 2; ++n) {
                yield();
                if (i != 0 && getm() != mine) ++*m;
              }
              if (i != 0) unlock_os_thread();
            });
          }
          group.wait();
        },
        {.procs = 2});
    EXPECT_EQ(moved, 0) << "a locked goroutine went on on another M";
  });
}

}  // namespace goro::testing
