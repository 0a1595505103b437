// Thieves, owners and sleepers that take turns at every atomic access, as a seed decides.
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/clock.h"
#include "contracts/services/scheduling.h"
#include "goro/goro.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 10'000;  // of single functions
constexpr std::uint64_t kRuntimeSeeds = 3000;
// Of one schedule, where somebody is busy until another one has run. A right one takes a tenth.
constexpr std::uint64_t kMostSteps = 20'000;

// How often each goroutine was taken. Plain memory: only whoever took a goroutine counts it.
class Taken {
 public:
  explicit Taken(std::size_t n) : times_(n + 1) {}

  void add(const G* gp) {
    if (gp != nullptr) ++times_[gp->goid];
  }
  // What is left in pp's queue.
  void add_rest(const P* pp) {
    const sim::Undisturbed quiet;
    for (const std::uint64_t id : ring_of(pp)) ++times_[id];
    add(pp->runnext.load());
  }
  void expect_each_once() const {
    for (std::size_t id = 1; id < times_.size(); ++id) {
      EXPECT_EQ(times_[id], 1) << "G" << id << " was taken " << times_[id]
                               << " times; every goroutine must be taken exactly once";
    }
  }

 private:
  std::vector<int> times_;
};

constexpr std::int64_t kBackoffTime = std::int64_t{kRunnextBackoff} * 1000;

// The virtual time that runq_grab takes for a runnext.
std::int64_t time_to_take_runnext(P* victim, P* thief) {
  const std::int64_t begin = sim::now();
  if (runq_grab(victim, thief->runq, 0, true) != 1) sim::fail("runnext was there and not taken");
  return sim::now() - begin;
}

// The rule of wakep, with one sleeper that may be told: M0. `found` ends the wait for it.
void tell(const bool* found) {
  if (sched.npidle.load() == 0) return;      // whoever gives up a P from now on will look
  if (sched.nmspinning.load() != 0) return;  // whoever spins will look after it has counted out
  while (!*found) {
    sched.lock.lock();
    M* mp = sched.pidle != nullptr ? mget() : nullptr;
    P* pp = mp != nullptr ? pidleget() : nullptr;
    sched.lock.unlock();
    if (mp != nullptr) {
      sched.nmspinning.fetch_add(1);
      mp->spinning = true;
      mp->nextp = pp;
      mp->park.wakeup();
      return;
    }
    cpu_relax();
  }
}

// M0 with P0 has nothing to do, looks elsewhere, and may go to sleep. M1 with P1 makes a goroutine
// runnable by `put`, and follows wakep's rule. M0 must come to it.
template <typename Put>
void expect_not_missed(Put put) {
  FakeM fake(2);
  sim::name(&fake.m()->park, sizeof(Note), "M0.park");
  G* gp = fake.g();
  bool found = false;
  sim::Threads others;
  others.start("maker", [&] {
    const FakeThread thread(fake.p(1));
    put(fake.p(1), gp);
    tell(&found);
  });
  // The maker's P must be busy before anybody counts.
  while (fake.p(1)->status.load() != static_cast<std::uint32_t>(PStatus::running)) cpu_relax();
  const G* seen = nullptr;
  while (seen == nullptr) {
    seen = find_work_elsewhere();
    bool inherit = false;
    if (seen == nullptr) seen = runq_get(getm()->p, &inherit);
  }
  found = true;
  others.join();
  EXPECT_EQ(seen, gp) << "there is one goroutine only";
}

}  // namespace

TEST(Backoff, ARunnextWhosePRunsIsLeftAloneForAMoment) {
  GORO_STEP("P1 is running G1, its ring is empty, and runnext holds G2");
  sim::explore({.seeds = 20}, [] {
    FakeM fake(2);
    M busy;
    fake.p(1)->m = &busy;
    make_running(fake.p(1));
    G* running = fake.g(GStatus::running);
    G* next = fake.g();
    fake.p(1)->runnext.store(next);
    busy.curg.store(running);
    EXPECT_GE(time_to_take_runnext(fake.p(1), fake.p()), kBackoffTime)
        << "a running victim is about to run its runnext: wait kRunnextBackoff (goro::usleep; the "
           "system's takes no time here) before it is stolen, or a pair that talks moves from "
           "processor to processor with every message";
    busy.curg.store(nullptr);
    fake.p(1)->runnext.store(next);
    EXPECT_GE(time_to_take_runnext(fake.p(1), fake.p()), kBackoffTime)
        << "an M in the scheduler, without a goroutine, is about to take its runnext too";
    fake.p(1)->m = nullptr;
  });
}

TEST(Backoff, NobodyWaitsForAPThatWillNotRunItSoon) {
  GORO_STEP("P1's goroutine, G1, is in a system call, its ring is empty, and runnext holds G2");
  sim::explore({.seeds = 20}, [] {
    FakeM fake(2);
    M busy;
    fake.p(1)->m = &busy;
    make_running(fake.p(1));
    G* away = fake.g(GStatus::syscall);
    G* next = fake.g();
    fake.p(1)->runnext.store(next);
    busy.curg.store(away);
    EXPECT_LT(time_to_take_runnext(fake.p(1), fake.p()), kBackoffTime)
        << "a victim in a system call may not be back for long: nothing to wait for";
    fake.p(1)->status.store(static_cast<std::uint32_t>(PStatus::idle));
    fake.p(1)->runnext.store(next);
    EXPECT_LT(time_to_take_runnext(fake.p(1), fake.p()), kBackoffTime)
        << "a victim that is not running is not about to run anything: nothing to wait for";
    fake.p(1)->m = nullptr;
  });
}

TEST(Backoff, WhatIsPutThereMeanwhileHasAMomentOfItsOwn) {
  GORO_STEP("P1 (\"owner\") is running a goroutine, and runnext holds G2");
  GORO_STEP("a thief wants runnext; 1 us later the owner has run G2, and put G3 there");
  sim::explore({.seeds = 20}, [] {
    FakeM fake(2);
    M busy;
    fake.p(1)->m = &busy;
    make_running(fake.p(1));
    busy.curg.store(fake.g(GStatus::running));
    fake.p(1)->runnext.store(fake.g());
    G* other = fake.g();
    sim::Threads owner;
    owner.start("owner", [&] {
      goro::usleep(1);
      fake.p(1)->runnext.store(other);
    });
    EXPECT_GE(time_to_take_runnext(fake.p(1), fake.p()), 2 * kBackoffTime)
        << "G3 came while the thief waited for G2, and was stolen without a wait of its own: the "
           "compare-and-swap must expect the goroutine that was seen before the wait";
    owner.join();
    fake.p(1)->m = nullptr;
  });
}

TEST(Simulated, OwnerAndThievesTakeEveryGoroutineOnce) {
  GORO_STEP("the owner of P0 (\"main\") put eight goroutines and took some; two thieves stole");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr std::size_t kGoroutines = 8;
    FakeM fake(3);
    G* gs[kGoroutines];
    for (G*& gp : gs) gp = fake.g();
    Taken taken(kGoroutines);
    sim::Threads thieves;
    for (int i = 1; i < 3; ++i) {
      thieves.start(i == 1 ? "thief" : "other thief", [&, i] {
        const FakeThread thread(fake.p(i));
        for (int n = 0; n < 2; ++n) {
          taken.add(runq_steal(fake.p(i), fake.p(0), i == 2));
          bool inherit = false;
          while (const G* gp = runq_get(fake.p(i), &inherit)) taken.add(gp);
        }
      });
    }
    bool inherit = false;
    for (std::size_t i = 0; i < kGoroutines; ++i) {
      runq_put(fake.p(0), gs[i], i % 4 == 3);
      if (i % 4 == 3) taken.add(runq_get(fake.p(0), &inherit));
    }
    thieves.join();
    for (int i = 0; i < 3; ++i) taken.add_rest(fake.p(i));
    taken.expect_each_once();
  });
}

TEST(Simulated, ARunnextThatWasReplacedIsNotLost) {
  GORO_STEP("the owner of P0 (\"main\") put into runnext and took from it; a thief took runnext");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr std::size_t kGoroutines = 4;
    FakeM fake(2);
    G* gs[kGoroutines];
    for (G*& gp : gs) gp = fake.g();
    Taken taken(kGoroutines);
    sim::Threads thieves;
    thieves.start("thief", [&] {
      const FakeThread thread(fake.p(1));
      for (int n = 0; n < 2; ++n) taken.add(runq_steal(fake.p(1), fake.p(0), true));
    });
    bool inherit = false;
    for (G* gp : gs) {
      runq_put(fake.p(0), gp, true);
      taken.add(runq_get(fake.p(0), &inherit));
    }
    thieves.join();
    for (int i = 0; i < 2; ++i) taken.add_rest(fake.p(i));
    taken.expect_each_once();
  });
}

TEST(Dance, AGoroutineInARingIsNotMissed) {
  GORO_STEP(
      "an M (\"main\") with nothing to do was going to sleep: lost wake-up if it misses this");
  GORO_STEP("the M of P1 (\"maker\") put a goroutine into its ring, and woke nobody who spun");
  sim::explore({.seeds = kSeeds},
               [] { expect_not_missed([](P* pp, G* gp) { runq_put(pp, gp, false); }); });
}

TEST(Dance, AGoroutineInRunnextIsNotMissed) {
  GORO_STEP(
      "an M (\"main\") with nothing to do was going to sleep: lost wake-up if it misses this");
  GORO_STEP("the M of P1 (\"maker\") put a goroutine into runnext, and woke nobody who spun");
  sim::explore({.seeds = kSeeds},
               [] { expect_not_missed([](P* pp, G* gp) { runq_put(pp, gp, true); }); });
}

TEST(Dance, AGoroutineInTheGlobalQueueIsNotMissed) {
  GORO_STEP(
      "an M (\"main\") with nothing to do was going to sleep: lost wake-up if it misses this");
  GORO_STEP("another M (\"maker\") put a goroutine into the GRQ, and woke nobody who spun");
  sim::explore({.seeds = kSeeds}, [] {
    expect_not_missed([](P* /*pp*/, G* gp) {
      sched.lock.lock();
      globrunq_put(gp);
      sched.lock.unlock();
    });
  });
}

TEST(Simulated, NoGoroutineRestsBesideAnIdleP) {
  GORO_STEP("on two Ps, goroutine 1 spawned another, and was busy until it had run; three times");
  GORO_STEP("the other M steals it, finds nothing more, and goes to sleep meanwhile");
  sim::explore({.seeds = kRuntimeSeeds, .most_steps = kMostSteps}, [] {
    goro::atomic<int> ran{0};
    goro::run(
        [&] {
          WaitGroup group;
          auto* out = &ran;
          for (int i = 0; i < 3; ++i) {
            group.go([out] { out->fetch_add(1); });
            while (out->load() <= i) cpu_relax();
          }
          group.wait();
        },
        {.procs = 2});
    EXPECT_EQ(ran.load(), 3) << "every goroutine must have run";
  });
}

TEST(Simulated, WhoFoundWorkSeesToASuccessor) {
  GORO_STEP("on three Ps, goroutine 1 spawned two, and all three were busy until each had begun");
  GORO_STEP(
      "if that took for ever: one rested in a queue beside an idle P. Whoever found work, and was "
      "the last that spun, wakes a successor (resetspinning: wakep)");
  sim::explore({.seeds = kRuntimeSeeds, .most_steps = kMostSteps}, [] {
    goro::atomic<int> inside{0};
    goro::run(
        [&] {
          WaitGroup group;
          auto* in = &inside;
          for (int i = 0; i < 2; ++i) {
            group.go([in] {
              in->fetch_add(1);
              while (in->load() < 2) cpu_relax();
            });
          }
          while (in->load() < 2) cpu_relax();
          group.wait();
        },
        {.procs = 3});
    EXPECT_EQ(inside.load(), 2) << "both goroutines must have run";
  });
}

TEST(Simulated, TheWorldStopsWhileMsLookForWork) {
  GORO_STEP("goroutines yielded and changed the number of Ps, so that the world stopped often");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    int done = 0;
    goro::run(
        [&] {
          WaitGroup group;
          Channel<int> counted(8);
          for (int i = 0; i < 4; ++i) {
            group.go([counted, i] {
              yield();
              if (i % 2 == 0) max_procs(1 + i);
              counted.send(1);
            });
          }
          group.wait();
          done = static_cast<int>(counted.size());
        },
        {.procs = 3});
    EXPECT_EQ(done, 4) << "every goroutine must have run, whatever became of its P";
  });
}

}  // namespace goro::testing
