// Step 1: a heap with four children.
#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

TEST(SiftUp, PassesEveryParentThatIsLater) {
  {
    Timers ts;
    //              0   1                    5              9              13             17
    fill_with(ts, {10, 20, 50, 60, 70, 30, 31, 32, 33, 51, 52, 53, 54, 61, 62, 63, 64, 71});
    GORO_STEP("a heap of 18 entries; the one at 8, a grandchild of the first, is now for time 5");
    ts.heap[8].when = 5;
    ts.sift_up(8);
    EXPECT_EQ(ts.heap[0].when, 5) << "it is the earliest: it belongs at the top";
    EXPECT_EQ(ts.heap[1].when, 10)
        << "the parent of the entry at 8 is the one at (8 - 1) / 4 = 1, and the parent of that the "
           "one at 0: each goes down one place on that way";
    EXPECT_EQ(ts.heap[8].when, 20) << "the entry at 1 goes down to 8";
    EXPECT_EQ(order_error(ts), "") << "no entry is later than its children";
  }
  {
    Timers ts;
    fill_with(ts, {10, 20, 50, 60, 70, 30});
    GORO_STEP("the entry at 5 is for time 15: later than the first, earlier than its parent");
    ts.heap[5].when = 15;
    ts.sift_up(5);
    EXPECT_EQ(times_in(ts), (Times{10, 15, 50, 60, 70, 20}))
        << "it passes its parent (20), and stays below the first (10)";
  }
}

TEST(SiftDown, FollowsTheEarliestOfFourChildren) {
  for (std::size_t earliest = 1; earliest <= 4; ++earliest) {
    GORO_STEP("a heap of 5; the first entry is now for time 100, the child at ", earliest,
              " is the earliest of four");
    Timers ts;
    fill_with(ts, {100, 40, 41, 42, 43});
    ts.heap[earliest].when = 20;
    ts.sift_down(0);
    EXPECT_EQ(ts.heap[0].when, 20)
        << "the earliest of the four children goes up, at 4i + 1 … 4i + 4";
    EXPECT_EQ(ts.heap[earliest].when, 100) << "and the late one takes its place";
    EXPECT_EQ(order_error(ts), "") << "no entry is later than its children";
  }
}

TEST(SiftDown, GoesAsFarAsItMust) {
  Timers ts;
  fill_with(ts, {100, 20, 50, 60, 70, 30, 31, 32, 25});
  GORO_STEP("a heap of 9; the first entry is now the latest of all");
  ts.sift_down(0);
  EXPECT_EQ(ts.heap[0].when, 20) << "the earliest child goes up";
  EXPECT_EQ(ts.heap[1].when, 25) << "and the earliest of its children after it";
  EXPECT_EQ(ts.heap[8].when, 100) << "the late one ends where it has no children";
  EXPECT_EQ(order_error(ts), "") << "no entry is later than its children";
}

TEST(SiftDown, ALastParentMayHaveFewerChildren) {
  for (std::size_t n = 1; n <= 6; ++n) {
    GORO_STEP("a heap of ", n, ", whose first entry is the latest");
    Timers ts;
    Times times{100};
    for (std::size_t i = 1; i < n; ++i) times.push_back(static_cast<std::int64_t>(60 - i));
    fill_with(ts, times);
    if (n == 6) ts.heap[1].when = 10;  // its only child is at 5
    // Memory behind the end of the heap that must not be looked at.
    ts.heap.reserve(64);
    ts.heap.resize(32, {nullptr, 1});
    ts.heap.resize(n);
    ts.sift_down(0);
    EXPECT_EQ(order_error(ts), "") << "only as many children as there are may be looked at";
    Times now = times_in(ts);
    EXPECT_EQ(std::count(now.begin(), now.end(), 100), 1) << "no entry may be lost or doubled";
    EXPECT_EQ(std::count(now.begin(), now.end(), 1), 0)
        << "an entry behind the end of the heap was taken for a child";
  }
}

TEST(InitHeap, MakesAHeapOfAnyOrder) {
  const std::uint64_t seed = testing::seed();
  GORO_STEP("entries in random orders, 0 to 90 of them");
  std::mt19937_64 random(seed);
  for (std::size_t n = 0; n <= 90; ++n) {
    Timers ts;
    for (std::size_t i = 0; i < n; ++i) {
      ts.heap.push_back({nullptr, static_cast<std::int64_t>(random() % 50) + 1});
    }
    Times before = times_in(ts);
    ts.init_heap();
    ASSERT_EQ(order_error(ts), "") << "from the last entry that has a child, the one at (n - 2) / "
                                      "4, up to the first: down with "
                                      "each";
    Times after = times_in(ts);
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    ASSERT_EQ(after, before) << "no entry may be lost or doubled";
  }
}

TEST(AddHeap, TheTimerKnowsItsHeap) {
  Timers ts;
  Bells bells;
  Bell* bell = bells.add(50);
  GORO_STEP("a timer for time 50 comes into an empty heap");
  ts.add_heap(bell);
  ASSERT_EQ(ts.heap.size(), 1U) << "one timer, one entry";
  EXPECT_EQ(ts.heap[0].timer, bell) << "the entry is this timer's";
  EXPECT_EQ(ts.heap[0].when, 50) << "the entry says the timer's time";
  EXPECT_EQ(bell->ts, &ts) << "ts says in which heap a timer is";
  EXPECT_EQ(bell->holders.load(), 2U)
      << "a heap holds each of its timers: hold(), or it is freed while it is in the heap";
  EXPECT_EQ(ts.min_when_heap.load(), 50)
      << "the first entry has changed: update_min_when_heap(), or nobody knows that there is "
         "anything to do";
}

TEST(AddHeap, TheEarliestIsTheFirst) {
  Timers ts;
  Bells bells;
  std::int64_t earliest = kMaxWhen;
  for (const std::int64_t when : {50, 40, 60, 45, 70, 30, 35, 80, 20, 90, 10}) {
    GORO_STEP("a timer for time ", when);
    ts.add_heap(bells.add(when));
    earliest = std::min(earliest, when);
    ASSERT_EQ(order_error(ts), "") << "a new entry goes up past every parent that is later";
    ASSERT_EQ(ts.heap[0].when, earliest) << "the earliest is the first";
    ASSERT_EQ(ts.min_when_heap.load(), earliest)
        << "min_when_heap is the time of the first entry, which may be another one now";
  }
  EXPECT_EQ(ts.heap.size(), 11U) << "all of them are in the heap";
}

TEST(AddHeap, ATimerIsInOneHeapAtMost) {
  FakeM fake;
  Timers ts;
  Bells bells;
  ts.add_heap(bells.add(50));
  GORO_STEP("a timer that is in another heap already is added");
  const ChildEnd ending = in_child([&] {
    Timers other;
    Bell* bell = bells.add(60);
    bell->ts = &other;
    ts.add_heap(bell);
  });
  EXPECT_TRUE(ending.fatal_with("ts set in timer"))
      << "in two heaps it would fire twice. " << ending.told();
}

TEST(DeleteMin, TakesTheEarliestEachTime) {
  const std::uint64_t seed = testing::seed();
  GORO_STEP("100 timers for random times, taken out one by one");
  std::mt19937_64 random(seed);
  Timers ts;
  Bells bells;
  Times times;
  for (int i = 0; i < 100; ++i) {
    times.push_back(static_cast<std::int64_t>(random() % 60) + 1);
    place(ts, bells.add(times.back()));
  }
  std::sort(times.begin(), times.end());
  for (std::size_t i = 0; i < times.size(); ++i) {
    RuntimeTimer* first = ts.heap[0].timer;
    ASSERT_EQ(ts.heap[0].when, times[i]) << "the earliest that is left must be the first";
    ASSERT_EQ(ts.min_when_heap.load(), times[i]) << "min_when_heap follows the first entry";
    ts.delete_min();
    ASSERT_EQ(first->ts, nullptr) << "a timer that has left the heap is in none";
    ASSERT_EQ(entry_of(ts, first), nullptr) << "it has left the heap";
    ASSERT_EQ(ts.heap.size(), times.size() - i - 1) << "one entry less";
    ASSERT_EQ(order_error(ts), "") << "the last entry takes the first place, and goes down";
  }
}

TEST(DeleteMin, TheLastOneLeavesNothingBehind) {
  Timers ts;
  Bells bells;
  Bell* bell = bells.add(50);
  place(ts, bell);
  ts.min_when_modified.store(40);
  GORO_STEP("a heap of one timer, and min_when_modified is 40; the timer is taken out");
  ts.delete_min();
  EXPECT_TRUE(ts.heap.empty()) << "it was the only one";
  EXPECT_EQ(ts.min_when_heap.load(), 0) << "an empty heap says 0";
  EXPECT_EQ(ts.min_when_modified.load(), 0)
      << "in an empty heap nothing is modified: an old time here would wake somebody for nothing";
  EXPECT_EQ(bell->holders.load(), 2U) << "delete_min runs under the timer's lock, and let_go must "
                                         "not: whoever takes it out lets go "
                                         "of it later";
  EXPECT_EQ(bell->freed, 0) << "the test holds it still";
}

TEST(UpdateMinWhenModified, OnlyEverLower) {
  Timers ts;
  GORO_STEP("0 means none; then 50, then 70, then 40");
  ts.update_min_when_modified(50);
  EXPECT_EQ(ts.min_when_modified.load(), 50)
      << "0 means that nothing was modified: any time is earlier";
  ts.update_min_when_modified(70);
  EXPECT_EQ(ts.min_when_modified.load(), 50) << "the earliest of all that were modified counts";
  ts.update_min_when_modified(40);
  EXPECT_EQ(ts.min_when_modified.load(), 40) << "an earlier one lowers it";
}

}  // namespace
}  // namespace goro::testing
