// Step 3: marks put right.
#include "support.h"

namespace goro::testing {
namespace {

TEST(UpdateHeap, AModifiedOneMovesToItsPlace) {
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    Bell* bell = bells.add(10);
    place(own, bell);
    place(own, bells.add(20));
    place(own, bells.add(30));
    mark_modified(bell, 25);
    GORO_STEP("timers for 10, 20 and 30; the first was moved to 25");
    EXPECT_TRUE(bell->update_heap()) << "there was a mark";
    EXPECT_EQ(bell->state, kTimerHeaped) << "put right: no mark is left";
    ASSERT_NE(entry_of(own, bell), nullptr) << "it stays in the heap";
    EXPECT_EQ(entry_of(own, bell)->when, 25) << "the entry says the timer's time again";
    EXPECT_EQ(own.heap[0].when, 20) << "sift_down: the one for 20 is the first now";
    EXPECT_EQ(order_error(own), "") << "no entry is later than its children";
    EXPECT_EQ(own.min_when_heap.load(), 20) << "the first entry has changed: min_when_heap too";
  }
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    Bell* bell = bells.add(50);
    place(own, bell);
    GORO_STEP("the first timer of the heap has no mark");
    EXPECT_FALSE(bell->update_heap()) << "no mark, nothing to do";
    EXPECT_EQ(times_in(own), (Times{50})) << "the entry stays as it is";
  }
}

TEST(UpdateHeap, AZombieIsTakenOut) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(10);
  place(own, bell);
  place(own, bells.add(20));
  mark_zombie(bell);
  GORO_STEP("timers for 10 and 20; the first was stopped");
  EXPECT_TRUE(bell->update_heap()) << "there was a mark";
  EXPECT_EQ(numbers_in(own), (Numbers{2})) << "a zombie is taken out";
  EXPECT_EQ(bell->state, 0) << "not heaped, and no mark without heaped";
  EXPECT_EQ(bell->ts, nullptr) << "it is in no heap";
  EXPECT_EQ(own.zombies.load(), 0) << "and not counted as a zombie any more";
  EXPECT_EQ(own.min_when_heap.load(), 20) << "the first entry has changed: min_when_heap too";
}

TEST(CleanHead, PutsTheFirstRightUntilItHasNoMark) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  std::vector<Bell*> all;
  for (const std::int64_t when : {10, 20, 30, 40, 50}) {
    all.push_back(bells.add(when));
    place(own, all.back());
  }
  mark_zombie(all[0]);
  mark_modified(all[1], 45);
  mark_zombie(all[2]);
  GORO_STEP(
      "timers for 10 to 50: the first was stopped, the second moved to 45, the third stopped");
  own.lock();
  own.clean_head();
  own.unlock();
  EXPECT_EQ(own.heap[0].timer, all[3]) << "the first without a mark is the one for 40";
  EXPECT_EQ(sorted(numbers_in(own)), (Numbers{2, 4, 5})) << "the stopped ones are gone, no other";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  for (const int i : {0, 2}) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)]->holders.load(), 1U)
        << "whoever takes an entry out lets go of its timer, when its lock is given back";
  }
  EXPECT_EQ(all[1]->holders.load(), 2U) << "a timer that stays in the heap is held by it";
}

TEST(CleanHead, TakesZombiesOffTheEndAndLooksNoFurther) {
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    std::vector<Bell*> all;
    for (const std::int64_t when : {10, 20, 30, 40}) {
      all.push_back(bells.add(when));
      place(own, all.back());
    }
    mark_zombie(all[2]);
    mark_zombie(all[3]);
    GORO_STEP("timers for 10 to 40: the last two were stopped");
    own.lock();
    own.clean_head();
    own.unlock();
    EXPECT_EQ(numbers_in(own), (Numbers{1, 2})) << "a zombie at the end of the heap is nobody's "
                                                   "parent: it just goes, although the first entry "
                                                   "has no mark";
    EXPECT_EQ(all[3]->state, 0) << "no mark, and not heaped";
    EXPECT_EQ(all[3]->ts, nullptr) << "it is in no heap";
    EXPECT_EQ(all[3]->holders.load(), 1U) << "the heap lets go of it";
    EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  }
  {
    FakeM fake;
    Bells bells;
    Timers& own = fake.p()->timers;
    std::vector<Bell*> all;
    for (const std::int64_t when : {10, 20, 30}) {
      all.push_back(bells.add(when));
      place(own, all.back());
    }
    mark_zombie(all[1]);
    GORO_STEP("timers for 10, 20 and 30; the one in the middle was stopped");
    own.lock();
    own.clean_head();
    own.unlock();
    EXPECT_EQ(numbers_in(own), (Numbers{1, 2, 3}))
        << "clean_head looks at both ends only: it must be quick";
    EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  }
}

TEST(CleanHead, AHeapOfZombiesBecomesEmpty) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  for (const std::int64_t when : {10, 20, 30}) {
    Bell* bell = bells.add(when);
    place(own, bell);
    mark_zombie(bell);
  }
  GORO_STEP("three timers, all of them stopped");
  own.lock();
  own.clean_head();
  own.unlock();
  EXPECT_TRUE(own.heap.empty()) << "all of them go";
  EXPECT_EQ(own.zombies.load(), 0) << "and none is counted";
  EXPECT_EQ(own.min_when_heap.load(), 0)
      << "an empty heap says 0: a time that is left here wakes somebody for nothing";
}

TEST(Adjust, WaitsUntilAModifiedOneMayBeDue) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(100);
  place(own, bell);
  GORO_STEP("nothing was modified; adjust at 1000");
  own.lock();
  own.adjust(1000, false);
  own.unlock();
  EXPECT_EQ(own.min_when_heap.load(), 100) << "nothing to do";
  mark_modified(bell, 50);
  GORO_STEP("the timer was moved from 100 to 50; adjust at 49");
  own.lock();
  own.adjust(49, false);
  own.unlock();
  EXPECT_EQ(bell->state, kModifiedMark) << "nothing that was modified is due before 50";
  EXPECT_EQ(own.min_when_modified.load(), 50) << "so somebody has to look at 50 still";
  GORO_STEP("adjust at 50");
  own.lock();
  own.adjust(50, false);
  own.unlock();
  EXPECT_EQ(bell->state, kTimerHeaped) << "at 50 it may be due: the heap is put right";
  EXPECT_EQ(own.heap[0].when, 50) << "the entry says the timer's time";
}

TEST(Adjust, PutsTheWholeHeapRight) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  std::vector<Bell*> all;
  for (int i = 1; i <= 12; ++i) {
    all.push_back(bells.add(i * 10));
    place(own, all.back());
  }
  mark_modified(all[10], 5);
  mark_zombie(all[4]);
  mark_modified(all[0], 200);
  mark_zombie(all[11]);
  mark_zombie(all[5]);
  GORO_STEP("timers for 10, 20 … 120; 11 was moved to 5, 1 to 200, and 5, 6 and 12 were stopped");
  own.lock();
  own.adjust(5, false);
  own.unlock();
  EXPECT_EQ(sorted(numbers_in(own)), (Numbers{1, 2, 3, 4, 7, 8, 9, 10, 11}))
      << "the zombies go, wherever they are, and nobody else";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
  for (const Timers::Entry& entry : own.heap) {
    EXPECT_EQ(entry.when, entry.timer->when)
        << "the entry of timer " << static_cast<const Bell*>(entry.timer)->number
        << " says the timer's time";
    EXPECT_EQ(entry.timer->state, kTimerHeaped) << "no mark is left";
  }
  EXPECT_EQ(own.heap[0].timer, all[10]) << "the one that was moved to 5 is the first now";
  EXPECT_EQ(own.min_when_modified.load(), 0) << "nothing is out of date any more";
  EXPECT_EQ(own.min_when_heap.load(), 5) << "the first entry's time";
  for (const int i : {4, 5, 11}) {
    const Bell* bell = all[static_cast<std::size_t>(i)];
    EXPECT_EQ(bell->state, 0) << "a zombie that was thrown out is in no heap, and has no mark";
    EXPECT_EQ(bell->ts, nullptr) << "it is in no heap";
    EXPECT_EQ(bell->holders.load(), 1U) << "the heap lets go of it";
  }
}

TEST(Adjust, IsForcedForTheSakeOfTheZombies) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  std::vector<Bell*> all;
  for (int i = 1; i <= 6; ++i) {
    all.push_back(bells.add(i * 10));
    place(own, all.back());
  }
  mark_zombie(all[1]);
  mark_zombie(all[2]);
  GORO_STEP("two of six were stopped, nothing was modified; adjust with force");
  own.lock();
  own.adjust(1, true);
  own.unlock();
  EXPECT_EQ(sorted(numbers_in(own)), (Numbers{1, 4, 5, 6})) << "with force, whatever the time";
  EXPECT_EQ(heap_error(own), "") << "the heap and its words must agree";
}

TEST(Adjust, WhoHasNoOwnerAnyMoreIsFreed) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(10);
  place(own, bell);
  place(own, bells.add(20));
  mark_zombie(bell);
  bell->let_go();
  GORO_STEP("a timer was stopped, and its owner has let go of it: only the heap holds it");
  own.lock();
  own.adjust(1, true);
  own.unlock();
  EXPECT_EQ(bell->freed, 1) << "the last one that let go of it frees it, once";
  EXPECT_FALSE(bell->locked_when_freed) << "let_go() only without the timer's lock: it may be "
                                           "freed there, and unlock() would write to "
                                           "memory that is gone";
}

TEST(Adjust, TheTimeToLookIsNeverLaterMeanwhile) {
  FakeM fake;
  Bells bells;
  Timers& own = fake.p()->timers;
  Bell* bell = bells.add(100);
  Bell* stopped = bells.add(90);
  place(own, stopped);
  place(own, bell);
  mark_zombie(stopped);
  mark_modified(bell, 50);
  stopped->let_go();
  // When the zombie is freed, adjust is in the middle of its look at the timers.
  static std::int64_t seen;
  static Timers* looked_at;
  seen = -1;
  looked_at = &own;
  stopped->free_it = [](RuntimeTimer* /*t*/) { seen = looked_at->wake_time(); };
  GORO_STEP(
      "timers for 90 (stopped) and 100, which was moved to 50; in the middle of adjust somebody "
      "asks for wake_time()");
  own.lock();
  own.adjust(60, false);
  own.unlock();
  ASSERT_NE(seen, -1) << "the zombie's last holder is the heap, which must let go of it";
  EXPECT_TRUE(seen != 0 && seen <= 50)
      << "wake_time() was " << seen
      << " in the middle of adjust: an M that looks just then sleeps past 50. min_when_heap = "
         "wake_time() first, and only then min_when_modified = 0";
}

}  // namespace
}  // namespace goro::testing
