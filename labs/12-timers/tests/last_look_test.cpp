// Step 5: the last look before an M sleeps, and the timers of a P that goes.
#include "support.h"

namespace goro::testing {
namespace {

TEST(EarliestTimer, IsTheEarliestOfAllPs) {
  {
    FakeM fake(3);
    Bells bells;
    place(fake.p(1)->timers, bells.add(300));
    GORO_STEP("one timer, for 300, on P1");
    EXPECT_EQ(earliest_timer(), 300) << "a P without timers (0) is not the earliest";
    place(fake.p(2)->timers, bells.add(200));
    GORO_STEP("one for 200, on P2");
    EXPECT_EQ(earliest_timer(), 200)
        << "the earliest of all Ps, not only of the M's own: it has none";
    Bell* bell = bells.add(900);
    place(fake.p(1)->timers, bell);
    mark_modified(bell, 100);
    GORO_STEP("on P1 another one was moved to 100, and the heap does not know yet");
    EXPECT_EQ(earliest_timer(), 100) << "wake_time() of each P, which knows what was modified too";
  }
  {
    FakeM fake(3);
    GORO_STEP("three Ps without timers");
    EXPECT_EQ(earliest_timer(), 0) << "0: there is nothing to wait for";
  }
}

TEST(EarliestTimer, LooksAtThePsInUse) {
  FakeM fake(3);
  Bells bells;
  place(fake.p(0)->timers, bells.add(200));
  place(fake.p(2)->timers, bells.add(100));
  sched.gomaxprocs.store(2);
  GORO_STEP("allp has three Ps, of which two are in use (gomaxprocs)");
  EXPECT_EQ(earliest_timer(), 200) << "allp never shrinks: only the first gomaxprocs are in use";
}

TEST(Take, NoTimerIsLost) {
  FakeM fake(2);
  Bells bells;
  Timers& own = fake.p(0)->timers;
  Timers& theirs = fake.p(1)->timers;
  place(own, bells.add(150));
  for (const std::int64_t when : {300, 100, 200, 400}) place(theirs, bells.add(when));
  GORO_STEP("P1 goes away; it has timers for 100, 200, 300 and 400, P0 has one for 150");
  own.take(&theirs);
  EXPECT_EQ(sorted(numbers_in(own)), (Numbers{1, 2, 3, 4, 5}))
      << "each timer of the P that goes must be in the other heap: or it never fires";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  EXPECT_EQ(own.min_when_heap.load(), 100) << "one that came is the earliest now";
  EXPECT_EQ(own.len.load(), 5U) << "there is no unlock() here that would write the length";
  for (const Timers::Entry& entry : own.heap) {
    EXPECT_EQ(entry.timer->holders.load(), 2U)
        << "timer " << static_cast<const Bell*>(entry.timer)->number
        << " is held by its owner and by one heap: add_heap holds, and the heap that goes lets go";
  }
}

TEST(Take, MarksAreSettled) {
  FakeM fake(2);
  Bells bells;
  Timers& own = fake.p(0)->timers;
  Timers& theirs = fake.p(1)->timers;
  Bell* moved = bells.add(300);
  Bell* stopped = bells.add(200);
  Bell* orphan = bells.add(100);
  for (Bell* bell : {moved, stopped, orphan}) place(theirs, bell);
  mark_modified(moved, 50);
  mark_zombie(stopped);
  mark_zombie(orphan);
  orphan->let_go();
  GORO_STEP("P1 goes away; of its timers one was moved to 50, and two were stopped");
  own.take(&theirs);
  EXPECT_EQ(numbers_in(own), (Numbers{1})) << "a stopped one needs no heap";
  ASSERT_EQ(own.heap.size(), 1U) << "one entry";
  EXPECT_EQ(own.heap[0].when, 50) << "a new entry says the timer's own time";
  EXPECT_EQ(moved->state, kTimerHeaped) << "so nothing is out of date, and no mark is left";
  EXPECT_EQ(moved->astate.load(), kTimerHeaped) << "for all to see";
  EXPECT_EQ(stopped->state, 0) << "in no heap, no mark";
  EXPECT_EQ(stopped->astate.load(), 0) << "for all to see";
  EXPECT_EQ(stopped->ts, nullptr) << "in no heap";
  EXPECT_EQ(stopped->holders.load(), 1U) << "its owner holds it, the heap that goes does not";
  EXPECT_EQ(orphan->freed, 1) << "the heap that goes held it last";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
}

TEST(Take, NothingIsLeftBehind) {
  FakeM fake(2);
  Bells bells;
  Timers& own = fake.p(0)->timers;
  Timers& theirs = fake.p(1)->timers;
  Bell* moved = bells.add(300);
  Bell* stopped = bells.add(200);
  place(theirs, moved);
  place(theirs, stopped);
  mark_modified(moved, 50);
  mark_zombie(stopped);
  GORO_STEP("P1 goes away, and may come back one day");
  own.take(&theirs);
  EXPECT_TRUE(theirs.heap.empty()) << "a timer in two heaps fires twice";
  EXPECT_EQ(theirs.zombies.load(), 0) << "no entry, no zombie";
  EXPECT_EQ(theirs.wake_time(), 0)
      << "both words must be 0: or an M sleeps until the time of a timer that is not there";
  EXPECT_EQ(theirs.len.load(), 0U)
      << "len is a copy for others: with another number there, a deadlock is never reported";
}

}  // namespace
}  // namespace goro::testing
