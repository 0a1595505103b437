// Step 4: many goroutines at once.
#include "interrupt.h"
#include "queue_test.h"

namespace goro::testing {

namespace {

GQueue queue_of(const std::vector<G*>& gs, std::size_t from, std::size_t to) {
  GQueue queue;
  for (std::size_t i = from; i < to; ++i) queue.push_back(gs[i]);
  return queue;
}

Ids drain(GQueue* queue) {
  Ids ids;
  while (const G* gp = queue->pop()) ids.push_back(gp->goid);
  return ids;
}

}  // namespace

TEST(Batch, GoesToTheTailInOrder) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 101);
  GORO_STEP("put G1 … G10 into the ring and G101 into runnext; then a batch of G11 … G100");
  put_all(pp, gs, 0, 10);
  pp->runnext.store(gs[100]);
  GQueue queue = queue_of(gs, 10, 100);
  EXPECT_EQ(runq_put_batch(pp, &queue), 90) << "runq_put_batch returns how many it put";
  EXPECT_TRUE(queue.empty()) << "what was put is no longer in the caller's queue";
  EXPECT_EQ(show(ring(pp)), show(range(1, 100)))
      << "a batch goes behind what is there, in its order";
  EXPECT_EQ(name(pp->runnext.load()), "G101") << "a batch must leave runnext alone";
}

TEST(Batch, LeavesInTheQueueWhatDoesNotFit) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 300);
  GORO_STEP("put G1 … G200 into the ring of 256, then a batch of G201 … G300");
  put_all(pp, gs, 0, 200);
  GQueue queue = queue_of(gs, 200, 300);
  EXPECT_EQ(runq_put_batch(pp, &queue), 56) << "there was room for 56 of the batch";
  EXPECT_EQ(show(ring(pp)), show(range(1, 256)))
      << "a batch fills the ring and must not overwrite what is in it";
  EXPECT_EQ(show(drain(&queue)), show(range(257, 300)))
      << "the rest of the batch stays in the caller's queue, in order";
  EXPECT_EQ(show(m.drain_global()), "nothing") << "a batch never goes to the GRQ by itself";
}

TEST(Batch, PutsNothingIntoAFullRing) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 259);
  put_all(pp, gs, 0, 256);
  GQueue queue = queue_of(gs, 256, 259);
  GORO_STEP("filled the ring, then put a batch of 3");
  EXPECT_EQ(runq_put_batch(pp, &queue), 0);
  EXPECT_EQ(show(ring(pp)), show(range(1, 256))) << "a batch must not overwrite a full ring";
  EXPECT_EQ(show(drain(&queue)), "G257..G259") << "the batch stays with its owner";
  GQueue none;
  EXPECT_EQ(runq_put_batch(pp, &none), 0) << "an empty batch is no goroutines";
}

TEST(Batch, WrapsWithTheIndices) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 300);
  for (const std::uint32_t before : {1U, 100U, 255U, 256U}) {
    SCOPED_TRACE("head and tail started " + std::to_string(before) + " below 2^32");
    clear(pp, 0U - before);
    GQueue queue = queue_of(gs, 0, 300);
    ASSERT_EQ(runq_put_batch(pp, &queue), 256) << "an empty ring has room for 256 of a batch";
    ASSERT_EQ(show(ring(pp)), show(range(1, 256)));
  }
}

TEST(Batch, IsVisibleAllAtOnce) {
  FakeM m;
  P* pp = m.p();
  const auto old = goroutines(&m, kRunqSize);
  const auto gs = goroutines(&m, 6);
  GORO_STEP("put a batch of 6 while another thread looks at the tail");
  for (unsigned at = 1;; ++at) {
    SCOPED_TRACE("the other thread looked after instruction " + std::to_string(at) +
                 " of the batch");
    clear(pp);
    put_all(pp, old, 0, kRunqSize);  // so that every slot holds an old goroutine
    get_all(pp);
    GQueue queue = queue_of(gs, 0, 6);
    G* stolen[kRunqSize];
    std::uint32_t n = 0;
    const Interrupted how = interrupt_after(
        at, [&] { runq_put_batch(pp, &queue); }, [&] { n = steal(pp, 1, kRunqSize, stolen); });
    ASSERT_NE(how, Interrupted::stuck) << "runq_put_batch did not come to an end";
    if (how == Interrupted::too_late) break;
    ASSERT_TRUE(n == 0 || n == 6) << "a thief saw " << n
                                  << " of a batch of 6: write all the slots first, then make them "
                                     "visible with one store of the "
                                     "tail";
    Ids ids;
    for (std::uint32_t i = 0; i < n; ++i) ids.push_back(stolen[i]->goid);
    ASSERT_EQ(show(ids + ring(pp)), show(range(257, 262)))
        << "the thief saw the tail of the batch before its slots were written: it took goroutines "
           "that "
           "had been in the ring long ago";
  }
}

}  // namespace goro::testing
