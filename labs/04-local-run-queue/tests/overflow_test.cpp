// Step 3: a full ring moves half of itself to the GRQ.
#include "interrupt.h"
#include "queue_test.h"
#include "testing/child.h"

namespace goro::testing {

TEST(Overflow, AFullRingMovesItsOldestHalfAndTheNewOne) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 257);
  GORO_STEP("put 257 goroutines into the ring of 256");
  put_all(pp, gs, 0, 257);
  EXPECT_EQ(show(ring(pp)), show(range(129, 256))) << "the newest 128 stay in the ring";
  const std::int32_t size = sched.runqsize.load();
  EXPECT_EQ(show(m.drain_global()), show(range(1, 128) + Ids{257}))
      << "overflow moves the oldest 128 and the one that did not fit, 129 in all, in that order";
  EXPECT_EQ(size, 129) << "the GRQ must be told how many it got (globrunq_put_batch's n)";
}

TEST(Overflow, WorksWhereTheIndicesWrap) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 257);
  for (const std::uint32_t before : {1U, 64U, 128U, 200U, 256U}) {
    SCOPED_TRACE("head and tail started " + std::to_string(before) + " below 2^32");
    clear(pp, 0U - before);
    put_all(pp, gs, 0, 257);
    ASSERT_EQ(show(ring(pp)), show(range(129, 256)));
    ASSERT_EQ(show(m.drain_global()), show(range(1, 128) + Ids{257}))
        << "overflow must not care where in 32 bits the indices stand";
  }
}

TEST(Overflow, TheOneKickedOutOfRunnextGoesWithTheHalf) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 258);
  GORO_STEP("filled the ring with G1 … G256, then put G257 and G258 with next = true");
  put_all(pp, gs, 0, 256);
  runq_put(pp, gs[256], true);
  runq_put(pp, gs[257], true);
  EXPECT_EQ(name(pp->runnext.load()), "G258") << "overflow leaves runnext alone";
  EXPECT_EQ(show(ring(pp)), show(range(129, 256)));
  EXPECT_EQ(show(m.drain_global()), show(range(1, 128) + Ids{257}))
      << "the goroutine that was kicked out of runnext found the ring full: the overflow takes it "
         "along";
}

TEST(Overflow, SixHundredGoStatementsMakeThreeLumps) {
  FakeM m;
  P* pp = m.p();
  GORO_STEP("put G1 … G600 with next = true, as 600 go statements do");
  for (G* gp : goroutines(&m, 600)) runq_put(pp, gp, true);
  EXPECT_EQ(name(pp->runnext.load()), "G600");
  EXPECT_EQ(show(m.drain_global()), show(range(1, 128) + Ids{257} + range(129, 256) + Ids{386} +
                                         range(258, 385) + Ids{515}))
      << "each overflow takes the oldest 128 of the ring and, behind them, the one that did not "
         "fit";
  EXPECT_EQ(show(ring(pp)), show(range(387, 514) + range(516, 599)));
}

TEST(Overflow, SlowPathSaysNoWhenTheHeadMoved) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 257);
  put_all(pp, gs, 0, 256);
  const std::uint32_t head = head_of(pp);
  const std::uint32_t tail = tail_of(pp);
  GORO_STEP(
      "filled the ring and read head and tail; then a thief took G1; then runq_put_slow with them");
  steal_oldest(pp);
  EXPECT_FALSE(runq_put_slow(pp, gs[256], head, tail))
      << "runq_put_slow must return false when the head is no longer where its caller saw it";
  EXPECT_EQ(show(m.drain_global()), "nothing")
      << "when the head moved, the copied goroutines may be a thief's: overflow must move nothing";
  EXPECT_EQ(show(ring(pp)), show(range(2, 256)));
}

TEST(Overflow, SlowPathSaysYesWhenItMovedThem) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 257);
  put_all(pp, gs, 0, 256);
  GORO_STEP("filled the ring, and called runq_put_slow with its head and tail");
  EXPECT_TRUE(runq_put_slow(pp, gs[256], head_of(pp), tail_of(pp)))
      << "runq_put_slow returns true when it moved the goroutines, or its caller puts G257 again";
  EXPECT_EQ(show(m.drain_global()), show(range(1, 128) + Ids{257}));
}

TEST(Overflow, SlowPathIsFatalWhenTheRingIsNotFull) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 256);
  GORO_STEP("put 255 goroutines into the ring of 256, and called runq_put_slow");
  put_all(pp, gs, 0, 255);
  const ChildEnd ending = in_child([&] { runq_put_slow(pp, gs[255], head_of(pp), tail_of(pp)); });
  EXPECT_TRUE(ending.fatal_with("runq_put_slow: queue is not full"))
      << "moving half of a ring that is not full is a bug of the caller; the program must end. "
      << ending.told();
}

// What is where at the end of a put of G257 during which a thief took `stolen` from the head.
void expect_nothing_lost(FakeM* m, const Ids& stolen) {
  const Ids global = m->drain_global();
  const Ids left = ring(m->p());
  if (global.empty()) {
    ASSERT_EQ(show(stolen + left), show(range(1, 257)))
        << "the thief came first, so there was room: runq_put must try again, and put G257 on the "
           "tail";
    return;
  }
  // The half went first; the thief took what was the oldest then.
  ASSERT_EQ(show(global), show(range(1, 128) + Ids{257}));
  ASSERT_EQ(show(stolen + left), show(range(129, 256)))
      << "the overflow came first, so G1 to G128 are in the GRQ; what the thief took must be in no "
         "queue any more";
}

TEST(Overflow, AThiefDuringTheOverflowLosesNothing) {
  for (const std::uint32_t takes : {1U, 128U}) {
    GORO_STEP("filled the ring with G1 … G256, and put G257 while a thief takes ", takes);
    // Every instruction at the beginning, where head and tail are read; samples of the copying.
    for (unsigned at = 1;; at += at < 40 ? 1 : at / 2) {
      FakeM m;
      P* pp = m.p();
      const auto gs = goroutines(&m, 257);
      put_all(pp, gs, 0, 256);
      G* stolen[kRunqSize];
      std::uint32_t n = 0;
      G* const thiefs_mark = m.g();
      const Interrupted how = interrupt_after(
          at, [&] { runq_put(pp, gs[256], false); },
          [&] {
            n = steal(pp, 1, takes, stolen);
            // What a thief has taken it may put on any list.
            for (std::uint32_t i = 0; i < n; ++i) stolen[i]->schedlink = thiefs_mark;
          });
      SCOPED_TRACE("the thief came after instruction " + std::to_string(at) + " of the put");
      ASSERT_NE(how, Interrupted::stuck) << "overflow: runq_put never returns once a thief has "
                                            "moved the head: read head and tail again "
                                            "each time round the loop";
      if (how == Interrupted::too_late) break;
      Ids ids;
      for (std::uint32_t i = 0; i < n; ++i) {
        ids.push_back(stolen[i]->goid);
        ASSERT_EQ(stolen[i]->schedlink, thiefs_mark)
            << name(stolen[i])
            << " is the thief's, and the overflow has changed its schedlink: copy the goroutines "
               "into an array, claim them by moving the head, and put them on a GQueue only then";
      }
      ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(&m, ids));
    }
  }
}

}  // namespace goro::testing
