// Steps 1 and 2: the queue, its size, and a P's fair share of it.
#include <algorithm>

#include "contracts/scheduler.h"
#include "support.h"

namespace goro::testing {
namespace {

TEST(GlobalQueue, FirstInFirstOut) {
  FakeM fake;
  GORO_STEP("put goroutines 1, 2 and 3 into the GRQ, one by one");
  for (int i = 0; i < 3; ++i) globrunq_put(fake.g());
  GORO_STEP("take them out again");
  Ids seen;
  while (G* gp = globrunq_get()) {
    seen.push_back(gp->goid);
    ASSERT_LE(seen.size(), 3U) << "three goroutines went in, more came out of the GRQ";
  }
  EXPECT_EQ(seen, ids_from(1, 3)) << "who has waited longest in the GRQ comes first";
}

TEST(GlobalQueue, SizeFollowsEveryPutAndGet) {
  FakeM fake;
  GORO_STEP("put 4 goroutines, looking at sched.runqsize after each");
  for (int i = 1; i <= 4; ++i) {
    globrunq_put(fake.g());
    ASSERT_EQ(sched.runqsize.load(), i) << "sched.runqsize is what Ps look at without the lock; it "
                                           "must say how many wait in the GRQ";
  }
  GORO_STEP("take them out, looking at sched.runqsize after each");
  for (int i = 3; i >= 0; --i) {
    ASSERT_NE(globrunq_get(), nullptr);
    ASSERT_EQ(sched.runqsize.load(), i)
        << "a goroutine that left the GRQ no longer counts in its size";
  }
}

TEST(GlobalQueue, GetFromTheEmptyQueueIsNull) {
  FakeM fake;
  GORO_STEP("take from an empty GRQ");
  EXPECT_EQ(globrunq_get(), nullptr);
  EXPECT_EQ(sched.runqsize.load(), 0) << "nothing was taken from the GRQ, so its size stays 0";
  GORO_STEP("put one, take it, and take again");
  G* gp = fake.g();
  globrunq_put(gp);
  EXPECT_EQ(globrunq_get(), gp);
  EXPECT_EQ(globrunq_get(), nullptr);
  EXPECT_EQ(sched.runqsize.load(), 0) << "one in, one out: the size of the GRQ is 0 again";
}

TEST(GlobalQueue, ABatchGoesToTheTailInOrder) {
  FakeM fake;
  GORO_STEP("put goroutines 1 and 2, then a batch of 3, 4 and 5, then goroutine 6");
  globrunq_put(fake.g());
  globrunq_put(fake.g());
  GQueue batch;
  for (int i = 0; i < 3; ++i) batch.push_back(fake.g());
  globrunq_put_batch(&batch, 3);
  EXPECT_EQ(sched.runqsize.load(), 5)
      << "two single goroutines and a batch of three are in the GRQ";
  EXPECT_TRUE(batch.empty()) << "a G is on one queue at a time: the batch must be empty afterwards";
  globrunq_put(fake.g());
  EXPECT_EQ(sched.runqsize.load(), 6);
  EXPECT_EQ(fake.drain_global(), ids_from(1, 6))
      << "the batch goes behind those who wait in the GRQ already, in its own order";
}

// Takes a batch and says what happened, against the formula.
void expect_fair_share(int procs, int size, int n) {
  FakeM fake(procs);
  fill_global(fake, size);
  const int share = std::min({n, size, size / procs + 1});
  G* first = globrunq_get_batch(fake.p(), n);
  const std::size_t taken = (first != nullptr ? 1 : 0) + ring_of(fake.p()).size();
  ASSERT_EQ(taken, static_cast<std::size_t>(share))
      << "with " << size << " goroutines in the GRQ and " << procs << " Ps, a P that asks for " << n
      << " takes its share: min(" << n << ", " << size << ", " << size << "/" << procs << " + 1)";
  ASSERT_EQ(sched.runqsize.load(), size - share)
      << "sched.runqsize must go down by what was taken: " << size << " were there, the share was "
      << share;
  ASSERT_EQ(fake.drain_global().size(), static_cast<std::size_t>(size - share))
      << "the goroutines that are not in this P's share stay in the GRQ";
}

TEST(FairShare, IsOneMoreThanThePsPart) {
  for (const int procs : {1, 2, 3, 4, 8, 64}) {
    GORO_STEP("take batches of at most 128 from GRQs of 1 to 300 goroutines, with ", procs, " Ps");
    for (const int size : {1, 2, 3, 5, 8, 63, 64, 65, 127, 128, 129, 255, 256, 300}) {
      ASSERT_NO_FATAL_FAILURE(expect_fair_share(procs, size, 128));
    }
  }
}

TEST(FairShare, IsNeverMoreThanAskedFor) {
  for (const int n : {1, 2, 7, 128}) {
    GORO_STEP("ask for ", n, " of 300 goroutines, with 1 P and with 2");
    ASSERT_NO_FATAL_FAILURE(expect_fair_share(1, 300, n));
    ASSERT_NO_FATAL_FAILURE(expect_fair_share(2, 300, n));
  }
}

TEST(FairShare, ALoneGoroutineIsNotForgotten) {
  GORO_STEP("one goroutine in the GRQ, eight Ps");
  FakeM fake(8);
  G* lone = fill_global(fake, 1)[0];
  EXPECT_EQ(globrunq_get_batch(fake.p(), 128), lone)
      << "1/8 is 0, and a share of 0 would leave the lone goroutine in the GRQ for ever";
  EXPECT_EQ(sched.runqsize.load(), 0) << "the lone goroutine was taken, so the GRQ is empty";
  GORO_STEP("ask again");
  EXPECT_EQ(globrunq_get_batch(fake.p(), 128), nullptr);
  EXPECT_EQ(sched.runqsize.load(), 0);
}

TEST(FairShare, TheFirstIsReturnedTheRestGoesToTheRingInOrder) {
  GORO_STEP("ten goroutines in the GRQ, two Ps: P0 takes 10/2 + 1 = 6");
  FakeM fake(2);
  fill_global(fake, 10);
  G* first = globrunq_get_batch(fake.p(0), 128);
  EXPECT_EQ(id_of(first), 1U) << "the head of the GRQ is returned: it has waited longest";
  EXPECT_EQ(ring_of(fake.p(0)), ids_from(2, 6))
      << "the rest of the batch goes to the ring in the order in which it waited";
  EXPECT_EQ(fake.p(0)->runnext.load(), nullptr)
      << "nobody asked for runnext: a batch goes to the ring";
  GORO_STEP("P1 takes from the 4 that are left: 4/2 + 1 = 3");
  first = globrunq_get_batch(fake.p(1), 128);
  EXPECT_EQ(id_of(first), 7U);
  EXPECT_EQ(ring_of(fake.p(1)), ids_from(8, 9)) << "the batch goes to the ring of the P that asked";
  EXPECT_EQ(fake.drain_global(), ids_from(10, 10)) << "goroutine 10 is in nobody's share yet";
}

TEST(FairShare, OfAnEmptyQueueIsNull) {
  GORO_STEP("take a batch from an empty GRQ");
  FakeM fake(2);
  EXPECT_EQ(globrunq_get_batch(fake.p(), 128), nullptr);
  EXPECT_EQ(sched.runqsize.load(), 0) << "nothing was taken from the empty GRQ";
  EXPECT_EQ(ring_of(fake.p()), Ids{}) << "and nothing went to the ring";
}

}  // namespace
}  // namespace goro::testing
