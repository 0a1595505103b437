// Step 4: it fires.
#include <cstring>
#include <new>

#include "support.h"

namespace goro::testing {
namespace {

std::int64_t run_at(Timers& ts, std::int64_t now) {
  ts.lock();
  const std::int64_t result = ts.run(now);
  ts.unlock();
  return result;
}

TEST(Run, SaysWhenTheFirstIsDue) {
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    place(own, bells.add(50));
    place(own, bells.add(60));
    GORO_STEP("timers for 50 and 60, at 49");
    EXPECT_EQ(run_at(own, 49), 50) << "nothing is due: when the first will be";
    EXPECT_EQ(bells.fired(), Numbers{}) << "a timer must not fire before its time";
    EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  }
  {
    FakeM fake;
    GORO_STEP("run of a heap without timers");
    EXPECT_EQ(run_at(fake.p()->timers, 100), -1) << "-1: there is nothing to run, now or later";
  }
}

TEST(Run, CallsTheFunctionOfTheFirst) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50);
  bell->seq = 9;
  place(own, bell);
  place(own, bells.add(52));
  GORO_STEP("timers for 50 and 52, at 55");
  EXPECT_EQ(run_at(own, 55), 0) << "0: one has fired";
  ASSERT_EQ(bells.fired(), (Numbers{1})) << "the first, and only that: each call of run fires one";
  EXPECT_EQ(bells.log()[0].seq, 9U) << "the function is told the timer's seq";
  EXPECT_EQ(bells.log()[0].delay, 5) << "and by how much it is late: now - when";
  EXPECT_EQ(run_at(own, 55), 0) << "the second is due too";
  EXPECT_EQ(bells.fired(), (Numbers{1, 2})) << "in the order of their times";
  EXPECT_EQ(run_at(own, 55), -1) << "the heap is empty now";
}

TEST(Run, WhoHasFiredIsInNoHeap) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50);
  std::int64_t when_it_fired = -1;
  std::uint8_t state_then = 0xff;
  bell->then = [&] {
    when_it_fired = bell->when;
    state_then = bell->state;
  };
  place(own, bell);
  place(own, bells.add(60));
  GORO_STEP("a timer that fires once, at its time");
  run_at(own, 50);
  ASSERT_EQ(bells.fired(), (Numbers{1})) << "it is due";
  EXPECT_EQ(when_it_fired, 0)
      << "before its function is called it is not set any more: stop() must say false from then on";
  EXPECT_EQ(state_then, 0) << "and it has left the heap, so that the function can set it again";
  EXPECT_EQ(numbers_in(own), (Numbers{2})) << "its entry is gone";
  EXPECT_EQ(bell->ts, nullptr) << "it is in no heap";
  EXPECT_EQ(bell->holders.load(), 1U) << "the heap's hold is given back, after its function";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree (zombies: it was one for a "
                                    "moment)";
}

TEST(Run, FollowsTheMarksOfTheFirst) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* later = bells.add(10);
  Bell* stopped = bells.add(20);
  place(own, later);
  place(own, stopped);
  place(own, bells.add(30));
  mark_modified(later, 100);
  mark_zombie(stopped);
  GORO_STEP("timers for 10 (moved to 100), 20 (stopped) and 30, at 40");
  EXPECT_EQ(run_at(own, 40), 0) << "the third is due";
  EXPECT_EQ(bells.fired(), (Numbers{3})) << "an entry with a mark comes up too early: it is put "
                                            "right first (update_heap), and then the "
                                            "next is looked at";
  EXPECT_EQ(stopped->holders.load(), 1U) << "the heap lets go of a zombie that it throws out";
  EXPECT_EQ(run_at(own, 40), 100) << "the one that was moved is due at 100";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
}

TEST(Run, NoLockIsHeldWhileAFunctionRuns) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50);
  bool heap_was_free = false;
  bool timer_was_free = false;
  bell->then = [&] {
    heap_was_free = lock_is_free(own.mu);
    timer_was_free = lock_is_free(bell->mu);
  };
  place(own, bell);
  GORO_STEP("a timer is due");
  own.lock();
  own.run(50);
  EXPECT_TRUE(timer_was_free)
      << "the timer's lock must be given back before its function is called: "
         "the function may set the timer again";
  EXPECT_TRUE(heap_was_free)
      << "the heap's lock must be given back before the function is called: it "
         "may set timers, and wake goroutines that do";
  EXPECT_FALSE(lock_is_free(own.mu)) << "when run returns, the heap's lock is held again";
  own.mu.unlock();
}

TEST(Run, AFunctionMaySetItsOwnTimer) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50);
  bool pending = true;
  bell->then = [&] {
    if (!lock_is_free(own.mu) || !lock_is_free(bell->mu)) return;  // another test's business
    pending = bell->reset(70, 0);
  };
  place(own, bell);
  GORO_STEP("a timer fires at 50, and its function sets it to 70");
  run_at(own, 50);
  EXPECT_FALSE(pending) << "while its function runs it is not set any more";
  EXPECT_EQ(bell->when, 70) << "what the function has set must not be overwritten after it";
  EXPECT_EQ(numbers_in(own), (Numbers{1})) << "it is in the heap again, once";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  bell->then = nullptr;
  GORO_STEP("at 70");
  EXPECT_EQ(run_at(own, 70), 0) << "it is due again";
  EXPECT_EQ(bells.times(bell), 2) << "it fires twice";
}

TEST(Period, ItIsSetAgainBeforeItsFunctionRuns) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(100, 10);
  std::int64_t next = -1;
  bell->then = [&] { next = bell->when; };
  place(own, bell);
  place(own, bells.add(105));
  GORO_STEP("a timer for 100 and every 10 after that, and one for 105; at 100");
  EXPECT_EQ(run_at(own, 100), 0) << "the first is due";
  EXPECT_EQ(next, 110) << "its next time is set before its function is called";
  EXPECT_EQ(bell->state, kTimerHeaped) << "it stays in the heap, and nothing is out of date there";
  EXPECT_EQ(own.heap[0].when, 105) << "its entry goes down to its place";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  EXPECT_EQ(bell->holders.load(), 2U) << "its owner and the heap hold it, as before";
}

TEST(Period, WhatNobodyCouldTakeIsLeftOut) {
  struct Case {
    std::int64_t now;
    std::int64_t next;
  };
  for (const Case& c :
       {Case{100, 110}, Case{109, 110}, Case{110, 120}, Case{135, 140}, Case{200, 210}}) {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    Bell* bell = bells.add(100, 10);
    place(own, bell);
    GORO_STEP("a timer for 100 and every 10 after that is looked at ", c.now,
              " for the first time");
    run_at(own, c.now);
    EXPECT_EQ(bells.times(bell), 1) << "it fires once, however late it is";
    EXPECT_EQ(bell->when, c.next)
        << "when + period · (1 + late / period): the next of its times that is in the future";
  }
}

TEST(Period, ATimeThatIsTooLateIsNever) {
  struct Case {
    std::int64_t when;
    std::int64_t period;
    std::int64_t now;
  };
  constexpr Case kCases[] = {{kMaxWhen - 5, 10, kMaxWhen - 5}, {1, kMaxWhen - 1, kMaxWhen}};
  for (const Case& c : kCases) {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    Bell* bell = bells.add(c.when, c.period);
    place(own, bell);
    GORO_STEP("when ", c.when, ", period ", c.period, ", now ", c.now);
    run_at(own, c.now);
    EXPECT_EQ(bell->when, kMaxWhen)
        << "a sum or a product that does not fit is kMaxWhen, not a number below 0 "
           "(__builtin_add_overflow, __builtin_mul_overflow)";
  }
}

TEST(Hold, WhoFiresForTheLastTimeLivesUntilItsFunctionEnds) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50);
  int freed_inside = -1;
  bell->then = [&] {
    bell->let_go();
    freed_inside = bell->freed;
  };
  place(own, bell);
  GORO_STEP("a timer fires; its function lets go of it, in the name of its owner");
  run_at(own, 50);
  EXPECT_EQ(freed_inside, 0)
      << "it was freed while its function ran: the hold of the heap that it has left is for that";
  EXPECT_EQ(bell->freed, 1) << "and freed after that, once";
  EXPECT_FALSE(bell->locked_when_freed) << "let_go() never under the timer's lock";
}

TEST(Hold, WhoIsStoppedWhileItFiresLivesUntilItsFunctionEnds) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(50, 10);
  int freed_inside = -1;
  bell->then = [&] {
    if (!lock_is_free(own.mu) || !lock_is_free(bell->mu)) return;  // another test's business
    bell->stop();
    own.lock();
    own.clean_head();
    own.unlock();
    bell->let_go();
    freed_inside = bell->freed;
  };
  place(own, bell);
  GORO_STEP(
      "a timer with a period fires; meanwhile it is stopped, thrown out of the heap, and its owner "
      "lets go of it");
  run_at(own, 50);
  EXPECT_EQ(freed_inside, 0) << "it was freed while its function ran: one with a period stays in "
                                "the heap, whose hold may be "
                                "given back by others; so it is held once more";
  EXPECT_EQ(bell->freed, 1) << "and freed after that, once";
}

TEST(Hold, ASleepersTimerIsNotTouchedAfterItsFunction) {
  FakeM fake;
  Timers& own = fake.p()->timers;
  // The frame of a goroutine that sleeps: as soon as it is woken, something else is there.
  struct Frame {
    alignas(RuntimeTimer) unsigned char bytes[sizeof(RuntimeTimer)];
    static unsigned char other(std::size_t i) { return static_cast<unsigned char>(i * 7 + 3); }
    void use_again() {
      const auto* t = reinterpret_cast<const RuntimeTimer*>(bytes);
      const auto* base = reinterpret_cast<const unsigned char*>(t);
      const auto mu =
          static_cast<std::size_t>(reinterpret_cast<const unsigned char*>(&t->mu) - base);
      const auto send_lock =
          static_cast<std::size_t>(reinterpret_cast<const unsigned char*>(&t->send_lock) - base);
      for (std::size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = other(i);
      // Both locks are free, so that whoever takes them does not wait for ever.
      std::memset(bytes + mu, 0, sizeof(RuntimeMutex));
      std::memset(bytes + send_lock, 0, sizeof(RuntimeMutex));
      std::memcpy(expected, bytes, sizeof(bytes));
    }
    unsigned char expected[sizeof(RuntimeTimer)];
  } frame;
  auto* t = new (frame.bytes) RuntimeTimer;
  t->when = 50;
  t->f = [](void* arg, std::uintptr_t /*seq*/, std::int64_t /*delay*/) {
    static_cast<Frame*>(arg)->use_again();
  };
  t->arg = &frame;
  place(own, t);
  GORO_STEP(
      "a timer without free_it, in the frame of a goroutine that sleeps; it fires, and the "
      "goroutine goes on");
  own.lock();
  own.run(50);
  own.mu.unlock();
  EXPECT_EQ(std::memcmp(frame.bytes, frame.expected, sizeof(frame.bytes)), 0)
      << "the timer's memory was written to after its function had woken the sleeper: its frame is "
         "gone by then. What you need to know afterwards (free_it, is_chan), read before";
  EXPECT_TRUE(own.heap.empty()) << "it has left the heap before that";
}

TEST(SendLock, IsHeldWhileAChannelTimerSends) {
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    Bell* bell = bells.add(50);
    bell->is_chan = true;
    bool was_free = true;
    bool others_were_free = false;
    std::int32_t sending = -1;
    bell->then = [&] {
      was_free = lock_is_free(bell->send_lock);
      others_were_free = lock_is_free(own.mu) && lock_is_free(bell->mu);
      sending = bell->is_sending.load();
    };
    place(own, bell);
    GORO_STEP("a channel timer that fires once");
    run_at(own, 50);
    ASSERT_EQ(bells.fired(), (Numbers{1})) << "it is due, and its seq is what it was";
    EXPECT_FALSE(was_free) << "send_lock must be held while it sends: so that stop() can know that "
                              "nothing is being sent";
    EXPECT_TRUE(others_were_free) << "but no other lock";
    EXPECT_EQ(sending, 0) << "is_sending is counted back as soon as send_lock is held";
    EXPECT_TRUE(lock_is_free(bell->send_lock)) << "and given back afterwards";
    EXPECT_EQ(bell->is_sending.load(), 0) << "nobody is on the way to send any more";
  }
  {
    FakeM fake;
    Bells bells;
    Bell* bell = bells.add(50);
    bool was_free = false;
    bell->then = [&] { was_free = lock_is_free(bell->send_lock); };
    place(fake.p()->timers, bell);
    GORO_STEP("a timer that is no channel's");
    run_at(fake.p()->timers, 50);
    EXPECT_TRUE(was_free) << "send_lock is for channel timers";
  }
}

TEST(Check, RunsAllThatAreDue) {
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    for (const std::int64_t when : {std::int64_t{3}, std::int64_t{1}, kNotToday, std::int64_t{2}}) {
      place(own, bells.add(when));
    }
    GORO_STEP("three timers are due since this machine was started, one is for a day far away");
    EXPECT_TRUE(own.check()) << "true: something has fired";
    EXPECT_EQ(bells.fired(), (Numbers{2, 4, 1})) << "all that are due, in the order of their times";
    EXPECT_EQ(numbers_in(own), (Numbers{3})) << "the one for another day stays";
    EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
    EXPECT_TRUE(lock_is_free(own.mu)) << "the heap's lock is given back";
  }
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    GORO_STEP("check without timers, and with one for a day far away");
    EXPECT_FALSE(own.check()) << "there are no timers";
    place(own, bells.add(kNotToday));
    EXPECT_FALSE(own.check()) << "none is due";
    EXPECT_EQ(bells.fired(), Numbers{}) << "a timer must not fire before its time";
    EXPECT_TRUE(lock_is_free(own.mu)) << "the heap's lock is given back, on every way";
  }
}

TEST(Check, FindsOneThatWasMovedToAnEarlierTime) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  place(own, bells.add(kNotToday));
  Bell* bell = bells.add(kNotToday + 1);
  place(own, bell);
  mark_modified(bell, 5);
  GORO_STEP("the second of two timers was moved from a day far away to time 5");
  EXPECT_TRUE(own.check()) << "wake_time() is 5, so there is something to do: adjust, then run";
  EXPECT_EQ(bells.fired(), (Numbers{2}))
      << "its entry is not the first until adjust has put it right";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
}

TEST(Check, TheOwnerThrowsOutZombies) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  std::vector<Bell*> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(bells.add(kNotToday + i));
    place(own, all.back());
  }
  mark_zombie(all[3]);
  mark_zombie(all[4]);
  GORO_STEP("two of eight were stopped");
  own.check();
  EXPECT_EQ(own.heap.size(), 8U)
      << "a quarter is not more than a quarter: no need to look at all of them";
  mark_zombie(all[5]);
  GORO_STEP("and a third");
  EXPECT_FALSE(own.check()) << "nothing has fired";
  EXPECT_EQ(sorted(numbers_in(own)), (Numbers{1, 2, 3, 7, 8}))
      << "more than a quarter: adjust with force, whatever the time";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
}

TEST(Check, AThiefRunsWhatIsDueAndNoMore) {
  FakeM fake(2);
  Bells bells;
  Timers& theirs = fake.p(1)->timers;
  std::vector<Bell*> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(bells.add(kNotToday + i));
    place(theirs, all.back());
  }
  mark_zombie(all[1]);
  mark_zombie(all[2]);
  GORO_STEP("the M of P0 looks at the timers of P1: none is due, half of them were stopped");
  EXPECT_FALSE(theirs.check()) << "none is due";
  EXPECT_EQ(theirs.heap.size(), 4U) << "a thief is in a hurry: to clean up is the owner's business";
  Bell* due = bells.add(3);
  place(theirs, due);
  GORO_STEP("and one that is due");
  EXPECT_TRUE(theirs.check()) << "timers are run by whoever has time: their P may be busy";
  EXPECT_EQ(bells.fired(), (Numbers{5})) << "the one that is due";
}

}  // namespace
}  // namespace goro::testing
