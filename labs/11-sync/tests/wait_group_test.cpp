// Step 2: counter and waiters in one word.
#include <string>
#include <thread>

#include "support.h"
#include "testing/panic_of.h"

namespace goro::testing {
namespace {

constexpr std::uint64_t group_state(std::uint32_t counter, std::uint32_t waiters) {
  return std::uint64_t{counter} << 32 | waiters;
}

TEST(GroupAdd, TheCounterIsTheUpperHalf) {
  FakeM fake;
  WaitGroupWords group;
  GORO_STEP("add(3), add(-1), add(-1), while nobody waits");
  wait_group_add(&group, 3);
  EXPECT_EQ(group.state.load(), group_state(3, 0))
      << "the counter is in the upper half of the state";
  wait_group_add(&group, -1);
  wait_group_add(&group, -1);
  EXPECT_EQ(group.state.load(), group_state(1, 0))
      << "a negative delta must not borrow from, or carry into, the lower half";
  wait_group_add(&group, -1);
  EXPECT_EQ(group.state.load(), 0U) << "nobody waits: the last one just counts";
  EXPECT_EQ(group.sema.load(), 0U) << "nobody waits, so nobody is to be woken";
}

TEST(GroupAdd, BelowZeroIsMisuse) {
  FakeM fake;
  WaitGroupWords group;
  GORO_STEP("add(-1) on a new group");
  EXPECT_EQ(panic_of([&] { wait_group_add(&group, -1); }), "sync: negative WaitGroup counter")
      << "more done() than add() is the program's mistake: throw_panic, in these words";
}

TEST(GroupAdd, UpFromZeroWhileSomebodyWaitsIsMisuse) {
  FakeM fake;
  WaitGroupWords group;
  group.state.store(group_state(0, 1));
  GORO_STEP("the counter is 0, somebody has begun to wait, and add(2) comes");
  EXPECT_EQ(panic_of([&] { wait_group_add(&group, 2); }),
            "sync: WaitGroup misuse: Add called concurrently with Wait")
      << "the counter went up from 0 while somebody waits: did they wait for the old work, or for "
         "this? Nobody can say";
}

TEST(GroupAdd, MoreWorkWhileSomebodyWaitsIsFine) {
  FakeM fake;
  WaitGroupWords group;
  group.state.store(group_state(1, 1));
  const Waiters waiters(fake, &group.sema, 1);
  GORO_STEP("the counter is 1, somebody waits; add(2)");
  EXPECT_EQ(panic_of([&] { wait_group_add(&group, 2); }), "no panic")
      << "misuse is an add that goes up from 0. Who works may bring more work in";
  EXPECT_EQ(group.state.load(), group_state(3, 1)) << "the counter goes up, the waiter stays";
  EXPECT_EQ(waiters.woken(), 0) << "nobody is woken before the counter is 0";
}

TEST(GroupAdd, NobodyIsWokenBeforeTheLast) {
  FakeM fake;
  WaitGroupWords group;
  group.state.store(group_state(3, 2));
  const Waiters waiters(fake, &group.sema, 2);
  GORO_STEP("the counter is 3 and two wait; done");
  wait_group_add(&group, -1);
  ASSERT_EQ(waiters.woken(), 0)
      << "two are still at work: woken too early, those who wait see half of the result";
  GORO_STEP("done");
  EXPECT_EQ(panic_of([&] { wait_group_add(&group, -1); }), "no panic") << "no misuse here";
  EXPECT_EQ(waiters.woken(), 0) << "one is still at work: woken too early";
  EXPECT_EQ(group.state.load(), group_state(1, 2)) << "the counter goes down, the waiters stay";
}

TEST(GroupAdd, TheLastDoneWakesAllWhoWait) {
  FakeM fake;
  WaitGroupWords group;
  group.state.store(group_state(1, 3));
  const Waiters waiters(fake, &group.sema, 3);
  GORO_STEP("the counter is 1; goroutines 1, 2 and 3 wait; done");
  wait_group_add(&group, -1);
  EXPECT_EQ(waiters.woken(), 3) << "one semrelease1 for each that waits";
  EXPECT_EQ(run_order(fake.p()), (Ids{3, 1, 2}))
      << "they are woken in the order of their arrival; each goes to runnext and pushes the one "
         "before it into the ring";
  EXPECT_EQ(group.state.load(), 0U)
      << "counter and waiters are 0 again, so that the group can be used again";
}

TEST(GroupWait, ReturnsAtOnceWhenThereIsNothingToWaitFor) {
  FakeM fake;
  WaitGroupWords group;
  GORO_STEP("the counter is 0; wait()");
  EXPECT_EQ(panic_of([&] { wait_group_wait(&group); }), "no panic")
      << "at 0 there is nothing to wait for, and so nothing to park";
  EXPECT_EQ(group.state.load(), 0U) << "who does not wait is not counted among those who do";
}

// [gos_order]
TEST(WaitGroup, TheLastDoneWakesInGosOrder) {
  Order order;
  GORO_STEP("one P: goroutines 1 to 6 wait, one after the other; then the last done()");
  goro::run(
      [&] {
        const WaitGroup group;
        group.add(1);
        for (int i = 1; i <= 6; ++i) {
          go([i, group, out = &order] {
            group.wait();
            out->push_back(i);
          });
          let_others_run();
        }
        group.done();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{6, 1, 2, 3, 4, 5}))
      << "Go's order: the last that is readied sits in runnext, the others stand in the queue";
}
// [/gos_order]

TEST(WaitGroup, CountsThoseWhoWait) {
  WaitGroupWords group;
  G* gp = nullptr;
  std::uint64_t state = 0;
  bool said = false;
  GORO_STEP("one P: goroutine 2 waits for one that works");
  goro::run(
      [&] {
        wait_group_add(&group, 1);
        go([g = &group, out = &gp] {
          *out = getg();
          wait_group_wait(g);
        });
        let_others_run();
        state = group.state.load();
        said = waits_for(gp, WaitReason::sync_waitgroup_wait);
        wait_group_add(&group, -1);
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(state, group_state(1, 1)) << "who waits is counted in the lower half of the state";
  EXPECT_TRUE(said) << "a dump must show [sync.WaitGroup.Wait]: WaitReason::sync_waitgroup_wait";
}

TEST(WaitGroup, IsUsedAgainAndAgain) {
  int rounds = 0;
  GORO_STEP(
      "one P: goroutine 2 waits, five rounds; in each goroutine 1 counts up, lets it wait, and "
      "counts down");
  goro::run(
      [&] {
        WaitGroupWords group;
        for (int round = 0; round < 5; ++round) {
          wait_group_add(&group, 2);
          go([g = &group, out = &rounds] {
            wait_group_wait(g);
            ++*out;
          });
          let_others_run();
          wait_group_add(&group, -1);
          let_others_run();
          if (rounds != round) return;
          wait_group_add(&group, -1);
          let_others_run();
        }
      },
      {.procs = 1});
  EXPECT_EQ(rounds, 5)
      << "in every round the waiter must go on when the counter is 0, and not before";
}

TEST(WaitGroup, ReuseBeforeWaitHasReturnedIsMisuse) {
  std::string text = "nothing";
  GORO_STEP("one P: goroutine 2 waits; done(), and add(1) before goroutine 2 has run");
  goro::run(
      [&] {
        WaitGroupWords group;
        wait_group_add(&group, 1);
        go(SpawnOptions{.stack = fixed_stack(1 << 16)},
           [g = &group, out = &text] { *out = panic_of([g] { wait_group_wait(g); }); });
        let_others_run();
        wait_group_add(&group, -1);
        wait_group_add(&group, 1);
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(text, "sync: WaitGroup is reused before previous Wait has returned")
      << "who comes back from waiting looks at the state once more: it must be 0";
}

TEST(WaitGroup, AThreadOutsideMayCountDown) {
  bool ran = false;
  GORO_STEP("one P: goroutine 2 waits; a thread that is not the runtime's calls done()");
  goro::run(
      [&] {
        const WaitGroup group;
        group.add(1);
        go([group, out = &ran] {
          group.wait();
          *out = true;
        });
        let_others_run();
        std::thread thread([&] { group.done(); });
        system_call([&] { thread.join(); });
        let_others_run();
      },
      {.procs = 1});
  EXPECT_TRUE(ran) << "done() may come from any thread, and the waiter must go on";
}

}  // namespace
}  // namespace goro::testing
