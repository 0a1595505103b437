// Step 3: the functions of spinning.cpp, one by one.
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "contracts/netpoll.h"
#include "contracts/services/random.h"
#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

TEST(Spinning, BecomingOneIsCountedAndAnswersTheCall) {
  FakeM fake(2);
  sched.nmspinning.store(1);
  sched.needspinning.store(true);
  GORO_STEP("one other M spins, and needspinning is set");
  become_spinning(fake.m());
  EXPECT_TRUE(fake.m()->spinning) << "the M itself must know that it spins";
  EXPECT_EQ(sched.nmspinning.load(), 2) << "everybody who spins is counted in nmspinning";
  EXPECT_FALSE(sched.needspinning.load())
      << "needspinning asked for somebody who looks around; now there is one, so it is cleared";
}

TEST(Spinning, WhoFoundWorkCountsAsSpinningNoLonger) {
  FakeM fake(2);
  make_running(fake.p(1));
  fake.m()->spinning = true;
  sched.nmspinning.store(1);
  GORO_STEP("this M spins and found work; every P is busy");
  resetspinning();
  EXPECT_FALSE(fake.m()->spinning) << "an M that found work spins no longer";
  EXPECT_EQ(sched.nmspinning.load(), 0)
      << "an M that found work must be counted out of nmspinning: while somebody counts as "
         "spinning, nobody is woken, so a leaked count stops all wake-ups for ever";
}

TEST(Spinning, NegativeCountIsFatal) {
  FakeM fake(1);
  const ChildEnd ending = in_child([&] {
    fake.m()->spinning = true;
    resetspinning();
  });
  EXPECT_TRUE(ending.fatal_with("findrunnable: negative nmspinning"))
      << "nmspinning was 0 although this M says that it spins: the books are wrong, and the "
         "program must end. "
      << ending.told();
}

TEST(StealWork, FindsTheOneVictimAmongEight) {
  for (int rich = 1; rich < 8; ++rich) {
    FakeM fake(8);
    fill_ring(fake, fake.p(rich), 1);
    const Stolen stolen = steal_work();
    ASSERT_EQ(id_of(stolen.gp), 1U)
        << "of 8 Ps only P" << rich << " has a goroutine; steal_work must visit every P";
    ASSERT_FALSE(stolen.look_again) << "look_again is for a world that is being stopped";
  }
}

TEST(StealWork, NothingAnywhereIsNull) {
  FakeM fake(4);
  const Stolen stolen = steal_work();
  EXPECT_EQ(stolen.gp, nullptr) << "nobody has anything";
  EXPECT_FALSE(stolen.look_again) << "look_again is for a world that is being stopped";
}

TEST(StealWork, PassesOverItselfAndIdlePs) {
  FakeM fake(40);
  GORO_STEP("40 Ps; P35 and P2 are idle; runnext of P0, which is this M's, holds goroutine 1");
  for (int i = 1; i < 40; ++i) make_running(fake.p(i));
  make_idle(fake.p(2));
  make_idle(fake.p(35));
  G* own = fake.g();
  fake.p()->runnext.store(own);
  GORO_STEP("goroutines in their rings, to notice if anybody looks there");
  fill_ring(fake, fake.p(2), 1);
  fill_ring(fake, fake.p(35), 1);
  const Stolen stolen = steal_work();
  EXPECT_EQ(id_of(stolen.gp), 0U)
      << "an idle P (its bit in idlepmask, 32 in each word) has nothing to steal, and its cache "
         "lines are not worth the look; nor is this M's own P, which was looked at before";
  EXPECT_EQ(fake.p()->runnext.load(), own) << "stealing from oneself moves runnext for nothing";
}

TEST(StealWork, RunnextWaitsForTheLastRound) {
  for (std::uint32_t random = 1; random <= 40; ++random) {
    FakeM fake(3);
    fake.p()->random = random * 2'654'435'761U;
    G* next = fake.g();
    fake.p(1)->runnext.store(next);
    fill_ring(fake, fake.p(2), 1);
    ASSERT_EQ(id_of(steal_work().gp), 2U)
        << "runnext of P1 holds goroutine 1, the ring of P2 goroutine 2. Only the last of the four "
           "rounds may take a runnext, so the ring of P2 comes first, in whatever order the Ps are "
           "visited";
    ASSERT_EQ(fake.p(1)->runnext.load(), next) << "runnext must still be there";
    ASSERT_EQ(steal_work().gp, next)
        << "when no ring has anything, the last round takes a runnext: else one goroutine could "
           "wait for ever behind another that does not stop";
  }
}

TEST(StealWork, TheLastRoundRunsTheTimersOfABusyAndOfAnIdleP) {
  for (const bool idle : {false, true}) {
    FakeM fake(2);
    bool rang = false;
    RuntimeTimer timer;
    timer.f = [](void* arg, std::uintptr_t, std::int64_t) { *static_cast<bool*>(arg) = true; };
    timer.arg = &rang;
    GORO_STEP("P1 is ", idle ? "idle" : "busy", ", and a timer of its has been due for a while");
    fake.m()->p = fake.p(1);
    timer.reset(1, 0);
    fake.m()->p = fake.p(0);
    if (idle) {
      make_idle(fake.p(1));
    } else {
      make_running(fake.p(1));
    }
    const Stolen stolen = steal_work();
    ASSERT_TRUE(rang) << "P1's M is busy, or there is none: the last round must call "
                         "victim->timers.check(), also where there is nothing to steal";
    ASSERT_TRUE(stolen.look_again)
        << "the timer may have put a goroutine into this P's own queue: back to the top, at once";
  }
}

TEST(StealWork, EachRoundIsInANewOrder) {
  FakeM fake(4);
  P expected;
  expected.random = fake.p()->random;
  for (int round = 0; round < 4; ++round) cheaprand(&expected);
  steal_work();
  EXPECT_EQ(fake.p()->random, expected.random)
      << "four rounds, each with a start of its own: stealorder.start(cheaprand(pp)), once a round";
}

TEST(StealWork, StopsWhenTheWorldIsBeingStopped) {
  FakeM fake(2);
  fill_ring(fake, fake.p(1), 4);
  sched.gcwaiting.store(true);
  GORO_STEP("P1's ring has four goroutines, but somebody is stopping the world (gcwaiting)");
  const Stolen stolen = steal_work();
  EXPECT_EQ(stolen.gp, nullptr) << "whoever stops the world waits for this M: no stealing now";
  EXPECT_TRUE(stolen.look_again) << "and the caller is told to go back to the top, where it leaves";
  EXPECT_EQ(length(fake.p(1)), 4U) << "the victim keeps its goroutines";
}

TEST(CheckRunqs, WorkSomewhereGetsAnIdleP) {
  for (const bool in_runnext : {false, true}) {
    FakeM fake(3);
    make_running(fake.p(1));
    make_idle(fake.p(2));
    G* gp = fake.g();
    if (in_runnext) {
      fake.p(1)->runnext.store(gp);
    } else {
      put_in_ring(fake.p(1), gp);
    }
    EXPECT_EQ(check_runqs_no_p(), fake.p(2))
        << "P1, which is busy, has a goroutine in its " << (in_runnext ? "runnext" : "ring")
        << " and P2 is idle: check_runqs_no_p must come back with P2";
    EXPECT_EQ(sched.npidle.load(), 0) << "P2 must be off the idle list then";
  }
}

TEST(CheckRunqs, NothingAnywhereLeavesTheIdleListAlone) {
  FakeM fake(3);
  make_running(fake.p(1));
  make_idle(fake.p(2));
  EXPECT_EQ(check_runqs_no_p(), nullptr) << "nobody has anything: no P is needed";
  EXPECT_EQ(sched.npidle.load(), 1) << "the idle P stays on its list";
  EXPECT_FALSE(sched.needspinning.load()) << "and nobody has to look around";
}

TEST(CheckRunqs, WithoutAnIdlePSomebodyElseIsAsked) {
  FakeM fake(3);
  make_running(fake.p(1));
  make_running(fake.p(2));
  fill_ring(fake, fake.p(1), 1);
  GORO_STEP("P1 has a goroutine to steal, and no P is idle");
  EXPECT_EQ(check_runqs_no_p(), nullptr) << "there is no P to come back with";
  EXPECT_TRUE(sched.needspinning.load())
      << "needspinning must be set (pidleget_spinning does it): whoever is about to give up a P "
         "looks around first then";
}

TEST(FindWork, SpinsAndSteals) {
  FakeM fake(4);
  for (int i = 1; i < 4; ++i) make_running(fake.p(i));
  fill_ring(fake, fake.p(3), 3);
  sched.nmspinning.store(1);
  GORO_STEP("four busy Ps; one other M spins, and 2*1 < 4, so this one may too; P3 has three");
  EXPECT_EQ(id_of(find_work_elsewhere()), 2U)
      << "two of the three are stolen, the last is returned";
  EXPECT_TRUE(fake.m()->spinning)
      << "still spinning when it returns with work: schedule calls resetspinning then";
  EXPECT_EQ(sched.nmspinning.load(), 2) << "counted once";
}

TEST(FindWork, WhoSpinsAlreadyIsNotCountedTwice) {
  FakeM fake(2);
  make_running(fake.p(1));
  fill_ring(fake, fake.p(1), 1);
  fake.m()->spinning = true;
  sched.nmspinning.store(1);
  GORO_STEP("this M was started as a spinning one: wakep has counted it");
  EXPECT_EQ(id_of(find_work_elsewhere()), 1U)
      << "an M that spins already steals, whatever the ration says";
  EXPECT_EQ(sched.nmspinning.load(), 1)
      << "an M that spins already must not be counted again: the count would never come down to 0";
}

// Another thread, which gives an M that goes to sleep an idle P and wakes it.
class Waker {
 public:
  // True if the M slept.
  bool finish() {
    returned_.store(true);
    if (thread_.joinable()) thread_.join();
    return slept_;
  }
  ~Waker() { finish(); }

  std::int32_t spinning = -1;  // sched.nmspinning while it slept
  std::int32_t idle = -1;      // sched.npidle while it slept

 private:
  void run() {
    while (!returned_.load() && !slept_) {
      sched.lock.lock();
      M* sleeper = mget();
      spinning = sched.nmspinning.load();
      idle = sched.npidle.load();
      P* pp = sleeper != nullptr ? pidleget() : nullptr;
      sched.lock.unlock();
      if (sleeper != nullptr) {
        slept_ = true;
        sleeper->nextp = pp;
        sleeper->park.wakeup();
      }
      sched_yield();
    }
  }

  std::atomic<bool> returned_{false};
  bool slept_ = false;
  std::thread thread_{[this] { run(); }};
};

TEST(FindWork, AtMostHalfAsManySpinAsAreBusy) {
  FakeM fake(6);
  for (int i = 1; i < 4; ++i) make_running(fake.p(i));
  make_idle(fake.p(4));
  make_idle(fake.p(5));
  fill_ring(fake, fake.p(1), 4);
  sched.nmspinning.store(2);
  GORO_STEP("six Ps, two of them idle: four are busy. Two other Ms spin, and 2*2 < 4 is not true");
  GORO_STEP("P1's ring holds four goroutines");
  Waker waker;
  const G* gp = find_work_elsewhere();
  ASSERT_FALSE(waker.finish())
      << "it went to sleep although P1's ring holds four goroutines: whoever gives up its P looks "
         "at all queues once more (check_runqs_no_p), also an M that was not allowed to spin";
  EXPECT_EQ(gp, nullptr)
      << "two of four may spin, not three: this M must not steal (2*nmspinning < gomaxprocs - "
         "npidle), but give up its P, look once more, and come back to spin when it sees something";
  EXPECT_EQ(length(fake.p(1)), 4U) << "nothing is stolen on this way";
  EXPECT_NE(fake.m()->p, nullptr) << "the look after giving up the P saw work: back with a P";
  EXPECT_TRUE(fake.m()->spinning) << "and it spins now, so that the next round steals";
  EXPECT_EQ(sched.nmspinning.load(), 3) << "which is counted";
}

TEST(FindWork, LooksAtTheGlobalQueueUnderTheLock) {
  FakeM fake(1);
  fill_global(fake, 3);
  GORO_STEP("find_runnable saw an empty GRQ; by now it has three goroutines");
  EXPECT_EQ(id_of(find_work_elsewhere()), 1U)
      << "before the P is given up, the GRQ is looked at again, under sched.lock";
  EXPECT_EQ(ring_of(fake.p()), ids_from(2, 3)) << "a batch is taken, as in find_runnable";
  EXPECT_EQ(fake.m()->p, fake.p()) << "and the P is kept";
}

TEST(FindWork, TakesNoMoreThanHalfARingFromTheGlobalQueue) {
  FakeM fake(1);
  fill_global(fake, 300);
  GORO_STEP("find_runnable saw an empty GRQ; by now it has 300 goroutines, and there is one P");
  EXPECT_EQ(id_of(find_work_elsewhere()), 1U);
  EXPECT_EQ(length(fake.p()), kRunqSize / 2 - 1)
      << "128 come in one batch, one of which is returned: a full ring would have to give half of "
         "them back to the GRQ as soon as one of them starts another";
  EXPECT_EQ(sched.runqsize.load(), 300 - static_cast<std::int32_t>(kRunqSize) / 2)
      << "the others stay in the GRQ";
}

TEST(FindWork, AsksTheNetworkBeforeItSteals) {
  FakeM fake(2);
  make_running(fake.p(1));
  fill_ring(fake, fake.p(1), 1);
  GORO_STEP("goroutine 2 waits for a descriptor that can be read; P1's ring holds goroutine 1");
  const int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
  PollDesc pd;
  ASSERT_EQ(netpoll_init(), 0);
  ASSERT_EQ(netpoll_open(fd, &pd), 0);
  G* reader = fake.g(GStatus::waiting);
  pd.side(PollMode::read).g.store(reinterpret_cast<std::uintptr_t>(reader));
  netpoll_waiters.store(1);
  sched.lastpoll.store(1);  // nobody sleeps in epoll
  const G* gp = find_work_elsewhere();
  netpoll_waiters.store(0);
  netpoll_end();
  ::close(fd);
  EXPECT_EQ(id_of(gp), 2U) << "poll_network comes before any stealing: its goroutines are nobody's "
                              "yet, and a look costs "
                              "less than a goroutine taken out of another P's cache";
  EXPECT_EQ(length(fake.p(1)), 1U) << "P1 keeps what it has";
  EXPECT_FALSE(fake.m()->spinning) << "and there was no need to spin";
}

TEST(FindWork, WhoeverGivesUpAPAnswersNeedspinning) {
  FakeM fake(2);
  make_running(fake.p(1));
  sched.nmspinning.store(1);
  sched.needspinning.store(true);
  GORO_STEP("one of two Ms spins, so this one may not; but somebody found work and no P");
  Waker waker;
  EXPECT_EQ(find_work_elsewhere(), nullptr) << "look again from the top";
  ASSERT_FALSE(waker.finish())
      << "needspinning is set: this M must keep its P and look around, since whoever set the flag "
         "had none; but it went to sleep";
  EXPECT_EQ(fake.m()->p, fake.p()) << "needspinning is set: this M must keep its P";
  EXPECT_TRUE(fake.m()->spinning) << "it looks around as a spinning M";
  EXPECT_FALSE(sched.needspinning.load()) << "which answers the call";
}

TEST(FindWork, GivesUpThePAndSleepsWhenThereIsNothing) {
  FakeM fake(2);
  make_running(fake.p(1));
  GORO_STEP("nothing to run anywhere; another thread waits until this M is on the idle list");
  Waker waker;
  const G* gp = find_work_elsewhere();
  ASSERT_TRUE(waker.finish()) << "an M that found nothing must sleep (stopm); it came back at once "
                                 "instead, and find_runnable "
                                 "would call it again: an idle thread that busy-waits";
  EXPECT_EQ(gp, nullptr) << "after sleeping: look again from the top";
  EXPECT_EQ(waker.idle, 1) << "a P that nobody uses is on the idle list while its M sleeps";
  EXPECT_EQ(waker.spinning, 0) << "an M that sleeps must not count as spinning: a leaked count "
                                  "stops all wake-ups for ever";
  EXPECT_FALSE(fake.m()->spinning) << "and knows that itself";
}

}  // namespace
}  // namespace goro::testing
