// handoffp: what becomes of a P that has lost its M. One M, nothing else runs.
#include "contracts/services/threads.h"
#include "support.h"

namespace goro::testing {
namespace {

// P0 has just been taken from this M.
struct Lost {
  explicit Lost(int procs) : fake(procs) { lose_p(fake); }
  FakeM fake;
  Sleepers sleepers;
};

TEST(Handoff, APWithGoroutinesGetsAnM) {
  Lost lost(2);
  GORO_STEP("P0 has a goroutine in its queue; handoffp(P0)");
  runq_put(lost.fake.p(0), lost.fake.g(), false);
  handoffp(lost.fake.p(0));
  const M* mp = lost.sleepers.with(lost.fake.p(0));
  ASSERT_NE(mp, nullptr) << "an M must be started with P0: there is a goroutine in its queue";
  EXPECT_FALSE(mp->spinning) << "it knows where its work is, so it does not spin";
  EXPECT_EQ(sched.nmspinning.load(), 0) << "nobody was counted as spinning";
  EXPECT_EQ(lost.sleepers.woken(), 1) << "one P, one M";
  EXPECT_FALSE(on_idle_list(lost.fake.p(0))) << "a P with an M is on no list of idle ones";
}

TEST(Handoff, TheGlobalQueueIsWorkToo) {
  Lost lost(2);
  GORO_STEP("the GRQ has a goroutine, no P is idle and nobody spins; handoffp(P0)");
  put_in_global_queue(lost.fake.g());
  handoffp(lost.fake.p(0));
  const M* mp = lost.sleepers.with(lost.fake.p(0));
  ASSERT_NE(mp, nullptr) << "an M must be started with P0: there is a goroutine in the GRQ";
  EXPECT_FALSE(mp->spinning)
      << "it knows that its work is in the GRQ, so it does not look for some: spinning false";
}

TEST(Handoff, WhenNobodyLooksForWorkSomebodyMust) {
  Lost lost(2);
  GORO_STEP("no work for P0, no P is idle and nobody spins; handoffp(P0)");
  sched.needspinning.store(true);
  handoffp(lost.fake.p(0));
  const M* mp = lost.sleepers.with(lost.fake.p(0));
  ASSERT_NE(mp, nullptr) << "an M must be started with P0: others may have work, and nobody looks";
  EXPECT_TRUE(mp->spinning) << "it looks for work, so it spins";
  EXPECT_EQ(sched.nmspinning.load(), 1)
      << "who spins must be counted in nmspinning, exactly once, before it starts";
  EXPECT_FALSE(sched.needspinning.load()) << "needspinning is answered by an M that spins";
}

TEST(Handoff, WhenSomebodyLooksForWorkThePRests) {
  Lost lost(2);
  GORO_STEP("no work for P0, but one M spins; handoffp(P0)");
  sched.nmspinning.store(1);
  handoffp(lost.fake.p(0));
  EXPECT_TRUE(on_idle_list(lost.fake.p(0))) << "nobody needs P0: it must go to the idle list";
  EXPECT_EQ(sched.npidle.load(), 1) << "and be counted in npidle";
  EXPECT_EQ(lost.sleepers.woken(), 0) << "no M must be woken for nothing";
  EXPECT_EQ(sched.nmspinning.load(), 1) << "the number of those who spin has not changed";
  EXPECT_TRUE(lock_is_free()) << "sched.lock must be given back";
}

TEST(Handoff, WhenAnotherPIsIdleThisOneRestsToo) {
  Lost lost(2);
  GORO_STEP("no work for P0, and P1 is idle; handoffp(P0)");
  put_on_idle_list(lost.fake.p(1));
  handoffp(lost.fake.p(0));
  EXPECT_TRUE(on_idle_list(lost.fake.p(0)))
      << "P1 had nothing to do either: P0 must go to the idle list";
  EXPECT_EQ(lost.sleepers.woken(), 0) << "no M must be woken for nothing";
  EXPECT_EQ(sched.nmspinning.load(), 0) << "nobody spins, so nmspinning must stay 0";
}

TEST(Handoff, AStoppingWorldGetsTheP) {
  GORO_STEP("the world is being stopped, and two Ps have yet to stop; handoffp(P0)");
  {
    Lost lost(2);
    sched.nmspinning.store(1);
    sched.gcwaiting.store(true);
    sched.stopwait = 2;
    handoffp(lost.fake.p(0));
    EXPECT_EQ(status_of(lost.fake.p(0)), kPStopped) << "P0 must be stopped, not idle";
    EXPECT_FALSE(on_idle_list(lost.fake.p(0))) << "a stopped P is on no list";
    EXPECT_EQ(sched.stopwait, 1) << "one P less has yet to stop";
    EXPECT_FALSE(sched.stopnote.is_set()) << "it was not the last: the stopper goes on sleeping";
    EXPECT_TRUE(lock_is_free()) << "sched.lock must be given back";
  }
  GORO_STEP("the same, and P0 is the last that has yet to stop");
  {
    Lost lost(2);
    sched.nmspinning.store(1);
    sched.gcwaiting.store(true);
    sched.stopwait = 1;
    handoffp(lost.fake.p(0));
    EXPECT_EQ(sched.stopwait, 0) << "P0 has stopped too";
    EXPECT_TRUE(sched.stopnote.is_set()) << "P0 was the last: who stops the world must be woken";
  }
}

TEST(Handoff, WhoRestsLooksOnceMore) {
  Lost lost(3);
  GORO_STEP("no work for P0, P2 is idle, but P1 has a goroutine in its queue; handoffp(P0)");
  const OtherM other(lost.fake, lost.fake.p(1), GStatus::running);
  put_on_idle_list(lost.fake.p(2));
  runq_put(lost.fake.p(1), lost.fake.g(), false);
  handoffp(lost.fake.p(0));
  EXPECT_EQ(lost.sleepers.woken(), 1)
      << "P0 was put on the idle list while P1 has a goroutine to spare: look at the queues after "
         "pidleput, and call wakep";
  EXPECT_EQ(sched.nmspinning.load(), 1) << "the M that is woken spins";
}

}  // namespace
}  // namespace goro::testing
