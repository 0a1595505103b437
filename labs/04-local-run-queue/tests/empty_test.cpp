// Step 5: is there anything to run?
#include "interrupt.h"
#include "queue_test.h"

namespace goro::testing {

TEST(Empty, LooksAtTheRingAndAtRunnext) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 2);
  GORO_STEP("runq_empty on a fresh queue");
  EXPECT_TRUE(runq_empty(pp)) << "nothing in the ring and nothing in runnext: empty";
  GORO_STEP("G1 in the ring");
  pp->runq[0].store(gs[0]);
  pp->runqtail.store(1);
  EXPECT_FALSE(runq_empty(pp)) << "a goroutine in the ring: not empty";
  GORO_STEP("G1 in the ring, G2 in runnext");
  pp->runnext.store(gs[1]);
  EXPECT_FALSE(runq_empty(pp));
  GORO_STEP("G2 in runnext only");
  pp->runqhead.store(1);
  EXPECT_FALSE(runq_empty(pp)) << "a goroutine in runnext: not empty";
  GORO_STEP("nothing any more");
  pp->runnext.store(nullptr);
  EXPECT_TRUE(runq_empty(pp)) << "head and tail are equal, and runnext is null: empty";
}

TEST(Empty, IsNeverTrueWhileAGoroutineMovesFromRunnextToTheRing) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 2);
  GORO_STEP(
      "G1 in runnext; while runq_empty looks, the owner puts G2 with next = true (G1 moves to the "
      "ring) "
      "and runs G2");
  for (unsigned at = 1;; ++at) {
    clear(pp, at);
    runq_put(pp, gs[0], true);
    bool empty = false;
    const Interrupted how = interrupt_after(
        at, [&] { empty = runq_empty(pp); },
        [&] {
          bool inherit = false;
          runq_put(pp, gs[1], true);
          runq_get(pp, &inherit);
        });
    ASSERT_NE(how, Interrupted::stuck) << "runq_empty did not come to an end";
    if (how == Interrupted::too_late) break;
    ASSERT_FALSE(empty)
        << "the owner came after instruction " << at
        << ": there was a goroutine in the queue all the time, in runnext first and in the "
           "ring then, but runq_empty saw it in neither place; it must read the tail again";
    ASSERT_EQ(show(ring(pp)), "G1");
  }
}

}  // namespace goro::testing
