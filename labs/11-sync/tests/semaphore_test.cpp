// Step 1: a count to wait for. First the one who releases, with goroutines that wait already; then
// those who wait, on one P, where the order of events is known.
#include <string>
#include <thread>

#include "contracts/services/acquirem.h"
#include "support.h"

namespace goro::testing {
namespace {

TEST(CanSemAcquire, CountsDownWhatIsThere) {
  Count count{2};
  GORO_STEP("a count of 2, and three attempts");
  EXPECT_TRUE(cansemacquire(&count)) << "2 is above 0: it can be counted down";
  EXPECT_TRUE(cansemacquire(&count)) << "1 is above 0: it can be counted down";
  EXPECT_EQ(count.load(), 0U) << "each success counts down by one";
  EXPECT_FALSE(cansemacquire(&count)) << "at 0 there is nothing to have";
  EXPECT_EQ(count.load(), 0U) << "who gets nothing must leave the count as it is: below 0 it would "
                                 "be four thousand million";
}

TEST(SemAcquire, TakesWhatIsThereWithoutWaiting) {
  FakeM fake;
  Count count{1};
  GORO_STEP("a count of 1, and one who wants it");
  std::string thrown;
  try {
    semacquire1(&count, false, WaitReason::semacquire);
  } catch (const Panic& panic) {
    thrown = panic.what();
  }
  EXPECT_EQ(thrown, "") << "the count was above 0: no need to wait, nor to ask who is running";
  EXPECT_EQ(count.load(), 0U) << "and now it is counted down";
  EXPECT_EQ(root_for(&count)->nwait.load(), 0U) << "nobody waits";
}

TEST(SemAcquire, OnlyAGoroutineMayWait) {
  Count count{0};
  std::string thrown = "nothing";
  GORO_STEP("a thread that is not the runtime's wants what is not there");
  try {
    semacquire1(&count, false, WaitReason::semacquire);
  } catch (const Panic& panic) {
    thrown = panic.what();
  }
  EXPECT_NE(thrown.find("outside of goro::run"), std::string::npos)
      << "only a goroutine can be parked: detail::current_goroutine() throws elsewhere. Thrown "
         "was: "
      << thrown;
  EXPECT_EQ(root_for(&count)->nwait.load(), 0U) << "nobody waits";
}

TEST(SemRelease, WithoutWaitersItOnlyCounts) {
  FakeM fake;
  Count count{0};
  GORO_STEP("nobody waits anywhere; two releases");
  semrelease1(&count, false);
  semrelease1(&count, true);
  EXPECT_EQ(count.load(), 2U) << "a release counts up by one, whether somebody waits or not";
}

TEST(SemRelease, WakesTheOneThatHasWaitedLongest) {
  FakeM fake;
  Count count{0};
  const Waiters waiters(fake, &count, 3);
  GORO_STEP("goroutines 1, 2 and 3 wait; one release");
  semrelease1(&count, false);
  EXPECT_EQ(run_order(fake.p()), (Ids{1}))
      << "goroutine 1 waited first: it, and no other, is woken";
  EXPECT_EQ(waiters.root()->nwait.load(), 2U)
      << "nwait counts those who wait; the one that was taken out does so no longer";
  EXPECT_EQ(count.load(), 1U) << "without handoff the count stays up: whoever is quickest has it, "
                                 "the woken one or a newcomer";
  EXPECT_EQ(waiters.ticket(0), 0U)
      << "a ticket says that it was counted down for the waiter; it was not";
  EXPECT_TRUE(lock_is_free(waiters.root()->lock)) << "the root's lock must be given back";
  EXPECT_EQ(fake.m()->locks, 0) << "every acquirem needs its releasem";
}

TEST(SemRelease, LeavesThoseWhoWaitElsewhere) {
  FakeM fake;
  // 251 times 8 bytes further on, in the same root.
  static Count counts[1 + std::size_t{251} * 2];
  Count* here = &counts[0];
  Count* there = &counts[std::size_t{251} * 2];
  here->store(0);
  there->store(0);
  ASSERT_EQ(root_for(here), root_for(there)) << "the test wants two addresses with one root";
  const Waiters waiters(fake, there, 1);
  GORO_STEP("goroutine 1 waits at another address that shares the root; a release here");
  semrelease1(here, false);
  EXPECT_EQ(waiters.woken(), 0) << "who waits at another address is not woken";
  EXPECT_EQ(waiters.root()->nwait.load(), 1U)
      << "nobody was taken out, so nwait stays: at 0 the next release there would wake nobody";
  EXPECT_EQ(here->load(), 1U) << "the release counts all the same";
  EXPECT_TRUE(lock_is_free(waiters.root()->lock)) << "the root's lock must be given back";
  EXPECT_EQ(fake.m()->locks, 0) << "every acquirem needs its releasem, also when nobody was found";
}

TEST(SemRelease, AHandOffCountsDownInTheWaitersName) {
  FakeM fake;
  Count count{0};
  const Waiters waiters(fake, &count, 2);
  GORO_STEP("goroutines 1 and 2 wait; one release with handoff");
  semrelease1(&count, true);
  EXPECT_EQ(run_order(fake.p()), (Ids{1})) << "goroutine 1 waited first";
  EXPECT_EQ(count.load(), 0U) << "handed over: counted up, and down again in the waiter's name, so "
                                 "that no newcomer can have it";
  EXPECT_EQ(waiters.ticket(0), 1U)
      << "the ticket tells the waiter that it need not count down itself";
}

TEST(Semaphore, WaitersAreServedInTheOrderOfArrival) {
  Count count{0};
  Order order;
  GORO_STEP(
      "one P: goroutines 1 to 4 wait, one after the other; four releases, and time to run after "
      "each");
  goro::run(
      [&] {
        for (int i = 1; i <= 4; ++i) {
          go([i, c = &count, out = &order] {
            semacquire1(c, false, WaitReason::semacquire);
            out->push_back(i);
          });
          let_others_run();
        }
        for (int i = 0; i < 4; ++i) {
          semrelease1(&count, false);
          let_others_run();
        }
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{1, 2, 3, 4}))
      << "first come, first served: queue at the tail, and each release wakes one";
  EXPECT_EQ(count.load(), 0U) << "four releases, and four who counted down";
}

TEST(Semaphore, WhoWaitsAgainWaitsInFront) {
  Count count{0};
  Order order;
  GORO_STEP("one P: goroutines 1 and 2 wait at the tail, goroutine 3 with lifo; three releases");
  goro::run(
      [&] {
        for (int i = 1; i <= 3; ++i) {
          go([i, c = &count, out = &order] {
            semacquire1(c, i == 3, WaitReason::semacquire);
            out->push_back(i);
          });
          let_others_run();
        }
        for (int i = 0; i < 3; ++i) {
          semrelease1(&count, false);
          let_others_run();
        }
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{3, 1, 2})) << "lifo queues at the head: pass it on to SemaRoot::queue";
}

TEST(Semaphore, ANewcomerMayBeQuicker) {
  Count count{0};
  int woken = 0;
  int woken_too_early = 0;
  std::uint32_t nwait = 0;
  bool newcomer = false;
  GORO_STEP("one P: goroutine 2 waits, and is woken; before it runs, goroutine 1 counts down");
  goro::run(
      [&] {
        go([c = &count, out = &woken] {
          semacquire1(c, false, WaitReason::semacquire);
          ++*out;
        });
        let_others_run();
        semrelease1(&count, false);
        newcomer = cansemacquire(&count);
        let_others_run();
        woken_too_early = woken;
        nwait = root_for(&count)->nwait.load();
        semrelease1(&count, false);
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(newcomer) << "without handoff the count is up until somebody counts it down";
  EXPECT_EQ(woken_too_early, 0) << "goroutine 2 was woken without a ticket and found the count at "
                                   "0: it must wait again, or two "
                                   "have what was there once";
  EXPECT_EQ(nwait, 1U)
      << "it waits again, and must be counted again, or the next release wakes nobody";
  EXPECT_EQ(woken, 1) << "the next release is for goroutine 2";
}

TEST(Semaphore, AHandedOverOneRunsAtOnce) {
  Count count{0};
  bool ran = false;
  bool ran_at_once = false;
  bool newcomer = true;
  GORO_STEP(
      "one P: goroutine 2 waits; goroutine 1 releases with handoff, and looks whether it has run");
  goro::run(
      [&] {
        go([c = &count, out = &ran] {
          semacquire1(c, false, WaitReason::semacquire);
          *out = true;
        });
        let_others_run();
        semrelease1(&count, true);
        ran_at_once = ran;
        newcomer = cansemacquire(&count);
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(ran) << "the waiter must get it: a ticket of 1 means that it was counted down for it";
  EXPECT_TRUE(ran_at_once) << "after a handoff the waiter is in runnext: goyield lets it run now";
  EXPECT_FALSE(newcomer) << "what was handed over is gone";
}

TEST(Semaphore, WithoutAHandOffTheReleaserGoesOn) {
  Count count{0};
  bool ran_at_once = true;
  bool ran = false;
  GORO_STEP("one P: goroutine 2 waits; goroutine 1 releases without handoff");
  goro::run(
      [&] {
        go([c = &count, out = &ran] {
          semacquire1(c, false, WaitReason::semacquire);
          *out = true;
        });
        let_others_run();
        semrelease1(&count, false);
        ran_at_once = ran;
        let_others_run();
      },
      {.procs = 1});
  EXPECT_FALSE(ran_at_once)
      << "only a handoff gives up the processor; an ordinary release is cheap";
  EXPECT_TRUE(ran) << "the waiter must run when its turn comes";
}

TEST(Semaphore, NobodyYieldsWithALockHeld) {
  Count count{0};
  bool ran_at_once = true;
  bool ran = false;
  GORO_STEP("one P: goroutine 2 waits; goroutine 1 hands over between acquirem and releasem");
  goro::run(
      [&] {
        go([c = &count, out = &ran] {
          semacquire1(c, false, WaitReason::semacquire);
          *out = true;
        });
        let_others_run();
        M* mp = acquirem();
        semrelease1(&count, true);
        ran_at_once = ran;
        releasem(mp);
        let_others_run();
      },
      {.procs = 1});
  EXPECT_FALSE(ran_at_once)
      << "M::locks was above 0: this goroutine must stay on its M, so no goyield";
  EXPECT_TRUE(ran) << "the waiter must run when its turn comes";
}

TEST(Semaphore, SaysWhatItsGoroutineWaitsFor) {
  Count count{0};
  G* gp = nullptr;
  bool said = false;
  GORO_STEP("one P: goroutine 2 waits at a semaphore, as a deadlock report would show it");
  goro::run(
      [&] {
        go([c = &count, out = &gp] {
          *out = getg();
          semacquire1(c, false, WaitReason::sync_mutex_lock);
        });
        let_others_run();
        said = waits_for(gp, WaitReason::sync_mutex_lock);
        semrelease1(&count, false);
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(said) << "the reason that semacquire1 was given must be passed on to gopark";
}

TEST(Semaphore, AThreadOutsideMayRelease) {
  Count count{0};
  bool ran = false;
  GORO_STEP("one P: goroutine 2 waits; a thread that is not the runtime's releases, with handoff");
  goro::run(
      [&] {
        go([c = &count, out = &ran] {
          semacquire1(c, false, WaitReason::semacquire);
          *out = true;
        });
        let_others_run();
        std::thread thread([&] { semrelease1(&count, true); });
        system_call([&] { thread.join(); });
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(ran)
      << "any thread may release: acquirem returns null there, wake() finds the way, and "
         "there is no goroutine to yield";
}

}  // namespace
}  // namespace goro::testing
