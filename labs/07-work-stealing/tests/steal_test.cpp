// Step 2: how much a thief takes, of what, and where it goes.
#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

TEST(Grab, TakesHalfRoundedUp) {
  for (const std::uint32_t n : {1U, 2U, 3U, 4U, 5U, 100U, 101U, 255U, 256U}) {
    FakeM fake(2);
    P* victim = fake.p(1);
    fill_ring(fake, victim, n);
    const std::uint32_t taken = runq_grab(victim, fake.p()->runq, 0, false);
    ASSERT_EQ(taken, n - n / 2) << "of " << n
                                << " goroutines in the ring a thief takes half, rounded up";
    ASSERT_EQ(victim->runqhead.load(), taken)
        << "the victim's head moves by as many as were taken: that is what makes them the thief's";
    ASSERT_EQ(victim->runqtail.load(), n) << "the tail is its owner's: a thief never moves it";
  }
}

TEST(Grab, CopiesTheOldestInOrder) {
  FakeM fake(2);
  P* victim = fake.p(1);
  GORO_STEP("the victim's ring holds goroutines 1 to 9; a thief copies from slot 20 on");
  fill_ring(fake, victim, 9);
  ASSERT_EQ(runq_grab(victim, fake.p()->runq, 20, false), 5U) << "half of 9, rounded up, is 5";
  Ids copied;
  for (std::uint32_t i = 20; i < 25; ++i) copied.push_back(id_of(fake.p()->runq[i].load()));
  EXPECT_EQ(copied, ids_from(1, 5))
      << "the thief takes from the head, so the oldest, and keeps them in order";
  EXPECT_EQ(ring_of(victim), ids_from(6, 9)) << "the newer half stays with the victim";
}

TEST(Grab, WorksWhereTheIndicesWrap) {
  GORO_STEP("the victim's ring begins at slot 253 of 256, the thief's free part at slot 254");
  GORO_STEP("the victim's indices are about to pass the end of 32 bits");
  FakeM fake(2);
  P* victim = fake.p(1);
  start_ring_at(victim, 4'294'967'293U);
  fill_ring(fake, victim, 10);
  ASSERT_EQ(runq_grab(victim, fake.p()->runq, 254, false), 5U)
      << "tail - head is the length, also where the tail has passed the end of 32 bits";
  Ids copied;
  for (const std::uint32_t slot : {254U, 255U, 0U, 1U, 2U}) {
    copied.push_back(id_of(fake.p()->runq[slot].load()));
  }
  EXPECT_EQ(copied, ids_from(1, 5)) << "an index is taken mod 256, in both rings";
  EXPECT_EQ(ring_of(victim), ids_from(6, 10)) << "the newer half stays with the victim";
}

TEST(Grab, AnEmptyQueueGivesNothing) {
  FakeM fake(2);
  P* victim = fake.p(1);
  start_ring_at(victim, 77);
  for (const bool take_next : {false, true}) {
    EXPECT_EQ(runq_grab(victim, fake.p()->runq, 0, take_next), 0U)
        << "neither the ring nor runnext has anything: 0, with take_next " << take_next;
    EXPECT_EQ(victim->runqhead.load(), 77U) << "the head stays where it was";
  }
}

TEST(Grab, RunnextIsTakenOnlyWhenAllowed) {
  FakeM fake(2);
  P* victim = fake.p(1);
  G* next = fake.g();
  victim->runnext.store(next);
  GORO_STEP("the victim's ring is empty, runnext holds goroutine 1; take_next is false");
  EXPECT_EQ(runq_grab(victim, fake.p()->runq, 3, false), 0U)
      << "without take_next a thief must leave runnext alone: its P is about to run it";
  EXPECT_EQ(victim->runnext.load(), next) << "runnext must stay where it is";
  GORO_STEP("the same with take_next true");
  victim->runnext.store(next);
  EXPECT_EQ(runq_grab(victim, fake.p()->runq, 3, true), 1U)
      << "with take_next, and an empty ring, runnext is what there is to take";
  EXPECT_EQ(fake.p()->runq[3].load(), next) << "it goes to slot `at`, as from a ring";
  EXPECT_EQ(victim->runnext.load(), nullptr)
      << "a stolen runnext must be gone, or two Ps run the same goroutine";
}

TEST(Grab, TheRingComesBeforeRunnext) {
  FakeM fake(2);
  P* victim = fake.p(1);
  G* next = fake.g();
  victim->runnext.store(next);
  fill_ring(fake, victim, 1);
  GORO_STEP("runnext holds goroutine 1, the ring goroutine 2; take_next is true");
  EXPECT_EQ(runq_grab(victim, fake.p()->runq, 0, true), 1U);
  EXPECT_EQ(id_of(fake.p()->runq[0].load()), 2U)
      << "as long as the ring has something, runnext is left to its P, also with take_next";
  EXPECT_EQ(victim->runnext.load(), next) << "runnext must stay where it is";
}

TEST(Steal, TheLastIsReturnedTheOthersGoToTheRing) {
  FakeM fake(2);
  P* pp = fake.p();
  start_ring_at(pp, 254);
  GORO_STEP("the victim's ring holds goroutines 1 to 7; the thief's ring is empty, at slot 254");
  fill_ring(fake, fake.p(1), 7);
  const G* gp = runq_steal(pp, fake.p(1), false);
  EXPECT_EQ(id_of(gp), 4U) << "of the four that were stolen, the last is returned to be run";
  EXPECT_EQ(ring_of(pp), ids_from(1, 3))
      << "the others are in the thief's ring, published by one store of its tail";
  EXPECT_EQ(ring_of(fake.p(1)), ids_from(5, 7)) << "the victim keeps the newer ones";
}

TEST(Steal, ALoneGoroutineIsReturnedAndNotPublished) {
  FakeM fake(2);
  fill_ring(fake, fake.p(1), 1);
  GORO_STEP("the victim's ring holds goroutine 1 only");
  EXPECT_EQ(id_of(runq_steal(fake.p(), fake.p(1), false)), 1U)
      << "one of one is half, rounded up: it is stolen";
  EXPECT_EQ(length(fake.p()), 0U)
      << "the goroutine that is returned must not be in the thief's ring too: it would run twice";
  EXPECT_EQ(length(fake.p(1)), 0U) << "and it must be gone from the victim's";
}

TEST(Steal, NothingToStealIsNull) {
  FakeM fake(2);
  start_ring_at(fake.p(), 9);
  EXPECT_EQ(runq_steal(fake.p(), fake.p(1), true), nullptr)
      << "an empty victim gives null, not what an old slot holds";
  EXPECT_EQ(fake.p()->runqtail.load(), 9U) << "the thief's tail stays where it was";
}

TEST(Steal, HandsOnWhetherRunnextMayBeTaken) {
  FakeM fake(2);
  G* next = fake.g();
  fake.p(1)->runnext.store(next);
  EXPECT_EQ(runq_steal(fake.p(), fake.p(1), false), nullptr)
      << "runq_steal hands take_next on: false leaves runnext alone";
  fake.p(1)->runnext.store(next);
  EXPECT_EQ(runq_steal(fake.p(), fake.p(1), true), next)
      << "runq_steal hands take_next on: true takes runnext of an empty ring";
  EXPECT_EQ(length(fake.p()), 0U) << "it is returned, not put into the ring";
}

TEST(Steal, WhatDoesNotFitIsFatal) {
  for (const std::uint32_t held : {129U, 200U}) {
    FakeM fake(2);
    fill_ring(fake, fake.p(), held);
    fill_ring(fake, fake.p(1), 256);
    GORO_STEP("the thief's ring holds ", held,
              " already, a bug of its caller; the victim's holds 256, so 127 more are published");
    const ChildEnd ending = in_child([&] { runq_steal(fake.p(), fake.p(1), false); });
    ASSERT_TRUE(ending.fatal_with("runq_steal: runq overflow"))
        << "with 127 more the thief's ring would hold " << held + 127
        << ". From 256 on the program must end: the ring was not empty when the thief began. "
        << ending.told();
  }
  FakeM fake(2);
  fill_ring(fake, fake.p(), 128);
  fill_ring(fake, fake.p(1), 256);
  GORO_STEP("the thief's ring holds 128, and the victim's 256");
  const G* gp = runq_steal(fake.p(), fake.p(1), false);
  EXPECT_EQ(id_of(gp), 256U)
      << "128 and 127 more make 255, which the check lets pass; the last one "
         "stolen is returned";
  EXPECT_EQ(length(fake.p()), 255U) << "and the 127 others are published";
}

}  // namespace
}  // namespace goro::testing
