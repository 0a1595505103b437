// Step 2: set and stopped.
#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

// Another function than ring, for timers that are given one.
void other_function(void* /*arg*/, std::uintptr_t /*seq*/, std::int64_t /*delay*/) {}

TEST(NeedsAdd, ATimeAndNoHeap) {
  Bells bells;
  Bell* bell = bells.add();
  GORO_STEP("a timer that is not set, one that is set, one that is in a heap");
  EXPECT_FALSE(bell->needs_add()) << "when is 0: it is not set, so it belongs in no heap";
  bell->when = 50;
  EXPECT_TRUE(bell->needs_add()) << "it is set, and in no heap";
  bell->state = kTimerHeaped;
  EXPECT_FALSE(bell->needs_add()) << "it is in a heap already";
}

TEST(Modify, OneInAHeapIsOnlyMarked) {
  FakeM fake(2);
  Bells bells;
  Bell* bell = bells.add(50);
  Timers& theirs = fake.p(1)->timers;
  place(theirs, bell);
  GORO_STEP("a timer for time 50 is in the heap of P1; P0 sets it to 70");
  const bool pending = bell->modify(70, 0, nullptr, nullptr, 0);
  EXPECT_TRUE(pending) << "it was set, and has not fired";
  EXPECT_EQ(bell->when, 70) << "`when` is the truth";
  EXPECT_EQ(bell->state, kModifiedMark) << "heaped, and marked modified";
  EXPECT_EQ(bell->astate.load(), kModifiedMark) << "the mark is for all to see";
  ASSERT_EQ(theirs.heap.size(), 1U) << "it stays in the heap in which it is";
  EXPECT_EQ(theirs.heap[0].when, 50)
      << "the entry belongs to whoever has the heap's lock; modify leaves it as it is";
  EXPECT_EQ(theirs.min_when_modified.load(), 70)
      << "the earliest of those that were modified in that heap";
  EXPECT_EQ(heap_error(theirs), "") << "the heap and its words must agree";
  EXPECT_TRUE(lock_is_free(bell->mu)) << "whoever returns has given back the lock";
  EXPECT_TRUE(fake.p(0)->timers.heap.empty()) << "it must not be added anywhere else";
}

TEST(Modify, TheEarliestModifiedIsKnown) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* first = bells.add(100);
  Bell* second = bells.add(200);
  place(own, first);
  place(own, second);
  GORO_STEP("timers for 100 and 200; the second is moved to 60, then the first to 80");
  second->modify(60, 0, nullptr, nullptr, 0);
  EXPECT_EQ(own.min_when_modified.load(), 60) << "one was modified, to 60";
  first->modify(80, 0, nullptr, nullptr, 0);
  EXPECT_EQ(own.min_when_modified.load(), 60) << "min_when_modified is only ever lowered here";
  EXPECT_EQ(own.wake_time(), 60)
      << "somebody must look at 60: the heap still says 100, and that would be too late";
  first->modify(40, 0, nullptr, nullptr, 0);
  EXPECT_EQ(own.min_when_modified.load(), 40) << "an earlier one lowers it";
}

TEST(Modify, TakesWhatItIsGiven) {
  FakeM fake;
  Bells bells;
  Bell* bell = bells.add(100);
  place(fake.p()->timers, bell);
  int argument = 0;
  GORO_STEP("modify with a function, its argument, a seq of 7, and a period of 5");
  bell->modify(120, 5, other_function, &argument, 7);
  EXPECT_EQ(bell->period, 5) << "the period is the new one";
  EXPECT_EQ(bell->f, &other_function) << "with a function, the timer takes it";
  EXPECT_EQ(bell->arg, &argument) << "and its argument";
  EXPECT_EQ(bell->seq, 7U) << "and its seq";
  GORO_STEP("reset: modify without a function, a period of 0");
  bell->reset(130, 0);
  EXPECT_EQ(bell->period, 0) << "a period of 0: it fires once";
  EXPECT_EQ(bell->f, &other_function) << "without a function, the timer keeps the one that it has";
  EXPECT_EQ(bell->arg, &argument) << "and its argument";
  EXPECT_EQ(bell->seq, 7U) << "and its seq, if it is no channel timer";
}

TEST(Modify, ATimeMustBePositive) {
  FakeM fake;
  Bells bells;
  Bell* bell = bells.add(100);
  place(fake.p()->timers, bell);
  GORO_STEP("time 1, the smallest that there is");
  bell->modify(1, 0, nullptr, nullptr, 0);
  EXPECT_EQ(bell->when, 1) << "1 is a time";
  GORO_STEP("time 0");
  ChildEnd ending = in_child([&] { bell->modify(0, 0, nullptr, nullptr, 0); });
  EXPECT_TRUE(ending.fatal_with("timer when must be positive"))
      << "0 means that a timer is not set: as a time it must be refused. " << ending.told();
  GORO_STEP("a period of -1");
  ending = in_child([&] { bell->modify(100, -1, nullptr, nullptr, 0); });
  EXPECT_TRUE(ending.fatal_with("timer period must be non-negative"))
      << "a period below 0 must be refused. " << ending.told();
}

TEST(Modify, AStoppedOneComesBack) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50);
  place(own, bell);
  mark_zombie(bell);
  GORO_STEP("a timer was stopped and is in the heap still; it is set to 70");
  const bool pending = bell->modify(70, 0, nullptr, nullptr, 0);
  EXPECT_FALSE(pending) << "it was not set";
  EXPECT_EQ(bell->state, kModifiedMark) << "heaped and modified, a zombie no longer: or whoever "
                                           "puts the heap right throws it out, and "
                                           "it never fires";
  EXPECT_EQ(own.zombies.load(), 0) << "and it is not counted as one";
  EXPECT_EQ(own.heap.size(), 1U) << "it is in the heap already: one entry";
}

TEST(Modify, WakesWhoeverWouldSleepLonger) {
  FakeM fake(2);
  Bells bells;
  Timers& theirs = fake.p(1)->timers;
  Bell* bell = bells.add(1000);
  Bell* other = bells.add(2000);
  place(theirs, bell);
  place(theirs, other);
  somebody_sleeps_until(1000);
  GORO_STEP("an M sleeps until 1000; the timer for 1000 is moved to 500");
  bell->modify(500, 0, nullptr, nullptr, 0);
  EXPECT_TRUE(was_woken()) << "it would sleep for too long: wake_net_poller(when_to)";
  somebody_sleeps_until(1000);
  GORO_STEP("an M sleeps until 1000; another timer is moved from 2000 to 600");
  other->modify(600, 0, nullptr, nullptr, 0);
  EXPECT_FALSE(was_woken())
      << "500 is known in that heap, and is earlier: nobody needs to be told about 600";
  somebody_sleeps_until(1000);
  GORO_STEP("the same one is moved to 300");
  other->modify(300, 0, nullptr, nullptr, 0);
  EXPECT_TRUE(was_woken()) << "now it is the earliest that was modified in that heap";
}

TEST(Modify, ANewOneComesIntoTheHeapOfThisP) {
  FakeM fake(2);
  Bells bells;
  Timers& own = fake.p(0)->timers;
  Bell* bell = bells.add();
  GORO_STEP("P0 sets a timer that is in no heap, to 50");
  const bool pending = bell->modify(50, 0, nullptr, nullptr, 0);
  EXPECT_FALSE(pending) << "it was not set";
  EXPECT_EQ(numbers_in(own), (Numbers{1})) << "in no heap, after unlock(): maybe_add";
  EXPECT_TRUE(fake.p(1)->timers.heap.empty()) << "the heap of the P that sets it, not of another";
  EXPECT_EQ(bell->state, kTimerHeaped) << "in a heap, and nothing is out of date there";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  EXPECT_EQ(own.len.load(), 1U) << "unlock() of the heap writes its length for all to see";
  EXPECT_TRUE(lock_is_free(own.mu) && lock_is_free(bell->mu)) << "both locks are given back";
}

TEST(MaybeAdd, OneThatWasStoppedMeanwhileStaysOut) {
  FakeM fake;
  Bells bells;
  Bell* bell = bells.add();
  Bell* set = bells.add(30);
  GORO_STEP("between modify's unlock() and maybe_add, somebody else has stopped the timer");
  bell->maybe_add();
  EXPECT_TRUE(fake.p()->timers.heap.empty())
      << "needs_add() once more, under both locks: it is not set any more";
  GORO_STEP("another one was not");
  set->maybe_add();
  EXPECT_EQ(numbers_in(fake.p()->timers), (Numbers{2})) << "it is set, and in no heap: in with it";
  EXPECT_TRUE(lock_is_free(bell->mu) && lock_is_free(fake.p()->timers.mu))
      << "both locks are given back, on every way";
}

TEST(MaybeAdd, OneThatWasAddedMeanwhileIsNotAddedTwice) {
  FakeM fake(2);
  Bells bells;
  Bell* bell = bells.add(50);
  place(fake.p(1)->timers, bell);
  GORO_STEP("between modify's unlock() and maybe_add on P0, P1 has added the timer to its heap");
  bell->maybe_add();
  EXPECT_TRUE(fake.p(0)->timers.heap.empty())
      << "needs_add() once more, under both locks: it is in a heap already";
  EXPECT_EQ(bell->ts, &fake.p(1)->timers) << "it stays in P1's heap";
}

TEST(MaybeAdd, TellsWhoeverSleepsAboutAnEarlierTime) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  somebody_sleeps_until(1000);
  GORO_STEP("an M sleeps until 1000; a timer for 500 comes into an empty heap");
  bells.add(500)->maybe_add();
  EXPECT_TRUE(was_woken()) << "it would sleep for too long: wake_net_poller(when)";
  somebody_sleeps_until(1000);
  GORO_STEP("a timer for 700 comes");
  bells.add(700)->maybe_add();
  EXPECT_FALSE(was_woken()) << "wake_time() was 500 before, which is earlier: nobody need be woken";
  GORO_STEP("a timer for 400 comes");
  bells.add(400)->maybe_add();
  EXPECT_TRUE(was_woken()) << "earlier than wake_time() was before it came";
  EXPECT_EQ(sorted(numbers_in(own)), (Numbers{1, 2, 3})) << "all of them are in the heap";
}

TEST(MaybeAdd, CleansUpFirst) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  for (const std::int64_t when : {20, 30, 40}) {
    Bell* bell = bells.add(when);
    place(own, bell);
    mark_zombie(bell);
  }
  GORO_STEP("three timers were stopped, and a new one is set for 50");
  bells.add(50)->maybe_add();
  EXPECT_EQ(numbers_in(own), (Numbers{4})) << "clean_head before it is added: a program that sets "
                                              "and stops timers in turns must not fill "
                                              "the heap with stopped ones";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
}

TEST(Stop, LeavesAMarkAndNoMore) {
  FakeM fake(2);
  Bells bells;
  Timers& theirs = fake.p(1)->timers;
  Bell* bell = bells.add(50);
  place(theirs, bell);
  GORO_STEP("a timer is in the heap of P1; P0 stops it");
  EXPECT_TRUE(bell->stop()) << "it was set, and has not fired";
  EXPECT_EQ(bell->when, 0) << "it is not set any more";
  EXPECT_EQ(bell->state, kZombieMark) << "heaped, modified, and a zombie";
  EXPECT_EQ(bell->astate.load(), kZombieMark) << "the mark is for all to see";
  EXPECT_EQ(numbers_in(theirs), (Numbers{1}))
      << "the entry belongs to whoever has the heap's lock: it stays";
  EXPECT_EQ(theirs.zombies.load(), 1) << "it is counted there, or nobody ever cleans up";
  EXPECT_TRUE(lock_is_free(bell->mu)) << "whoever returns has given back the lock";
}

TEST(Stop, WithoutEffectIsFalse) {
  {
    FakeM fake;
    Bells bells;
    Bell* bell = bells.add(50);
    place(fake.p()->timers, bell);
    GORO_STEP("stop, and stop again");
    bell->stop();
    EXPECT_FALSE(bell->stop()) << "it was stopped already";
    EXPECT_EQ(fake.p()->timers.zombies.load(), 1) << "one entry, counted once";
  }
  {
    Bells bells;
    Bell* bell = bells.add();
    GORO_STEP("stop of a timer that is not set and in no heap: it has fired, or never was set");
    EXPECT_FALSE(bell->stop()) << "there is nothing that stop has prevented";
    EXPECT_EQ(bell->state, 0) << "a mark says that an entry is out of date; it has no entry";
  }
}

TEST(StopOfAChannel, TakesBackWhatNobodyHasReceived) {
  FakeM fake;
  Bells bells;
  const Channel<time_point> channel(1);
  Bell* bell = bells.add();
  let_it_send_to(bell, channel);
  send_a_time(channel.ref().get());
  GORO_STEP("a timer has sent its time to its channel, and nobody has received it; stop");
  EXPECT_TRUE(bell->stop()) << "drained: for the program it is as if it had not fired";
  EXPECT_EQ(channel.size(), 0U) << "what was sent before a stop must not be received after it";
  EXPECT_EQ(bell->seq, 1U) << "++seq: whoever is about to send sees that it is too late";
  EXPECT_TRUE(lock_is_free(bell->send_lock)) << "send_lock is given back";
  GORO_STEP("stop once more");
  EXPECT_FALSE(bell->stop()) << "nothing was there any more";
}

TEST(StopOfAChannel, CountsWhoIsOnTheWayToSend) {
  FakeM fake;
  Bells bells;
  const Channel<time_point> channel(1);
  Bell* once = bells.add();
  let_it_send_to(once, channel);
  once->is_sending.store(1);
  GORO_STEP("a timer that fires once is between \"it fires\" and \"it is sent\"; stop");
  EXPECT_TRUE(once->stop())
      << "it will see another seq and not send: so this stop has prevented it (is_sending)";
  Bell* ticker = bells.add(0, 10);
  let_it_send_to(ticker, channel);
  ticker->is_sending.store(1);
  GORO_STEP("the same with a ticker");
  EXPECT_FALSE(ticker->stop()) << "is_sending tells about timers that fire once";
}

TEST(ModifyOfAChannel, NothingOldComesAfterIt) {
  FakeM fake;
  Bells bells;
  const Channel<time_point> channel(1);
  Bell* bell = bells.add();
  let_it_send_to(bell, channel);
  place(fake.p()->timers, bell);
  mark_zombie(bell);
  send_a_time(channel.ref().get());
  GORO_STEP("a timer has sent its time, and nobody has received it; reset");
  EXPECT_TRUE(bell->reset(kNotToday, 0)) << "drained: for the program it is as if it had not fired";
  EXPECT_EQ(channel.size(), 0U) << "an old time must not be received after a reset";
  EXPECT_EQ(bell->seq, 1U) << "++seq: whoever is about to send sees that it is too late";
  bell->when = 0;
  bell->is_sending.store(1);
  GORO_STEP("it fires, and before it has sent, it is reset");
  EXPECT_TRUE(bell->reset(kNotToday, 0)) << "that firing sends nothing any more (is_sending)";
  EXPECT_EQ(bell->seq, 2U) << "each modify counts";
  EXPECT_TRUE(lock_is_free(bell->send_lock) && lock_is_free(bell->mu))
      << "both locks are given back";
}

}  // namespace
}  // namespace goro::testing
