// Step 1: notes, one by one.
#include "support.h"

namespace goro::testing {
namespace {

TEST(Notes, AWakeupIsRemembered) {
  Note note;
  EXPECT_FALSE(note.is_set()) << "a new note is not set";
  GORO_STEP("woke the note; nobody slept on it");
  note.wakeup();
  EXPECT_TRUE(note.is_set()) << "wakeup must leave 1 in the note's word, whether anybody sleeps or "
                                "not: is_set() reads that word";
  GORO_STEP("cleared it, and woke it again");
  note.clear();
  EXPECT_FALSE(note.is_set()) << "clear() makes the note new";
  note.wakeup();
  EXPECT_TRUE(note.is_set()) << "after clear() a wakeup counts again";
}

TEST(Notes, ASecondWakeupIsFatal) {
  Note note;
  note.wakeup();
  GORO_STEP("woke a note that was awake already, in a process of its own");
  const ChildEnd ending = in_short_child([&] { note.wakeup(); });
  EXPECT_TRUE(ending.fatal_with("notewakeup - double wakeup"))
      << "two wakeups without a clear in between must end the program with `fatal error: "
         "notewakeup - double wakeup`: each waker believes that it alone woke the sleeper. "
      << ending.told();
}

TEST(Notes, AWakeupBeforeTheSleepIsNotLost) {
  Note note;
  note.wakeup();
  GORO_STEP("the note is set already; sleep() is called, and must return at once");
  note.sleep();
  EXPECT_TRUE(note.is_set()) << "sleep() leaves the note set; clearing it is the owner's business";
}

TEST(Notes, ASleepLastsUntilTheWakeup) {
  FakeM fake;
  Note note;
  atomic<bool> returned{false};
  std::thread sleeper([&] {
    const FakeThread m(nullptr);
    note.sleep();
    returned.store(true);
  });
  GORO_STEP("another thread sleeps on a note that nobody wakes, while this one works");
  work_for(kMuchWork / 4);
  const bool too_early = returned.load();
  GORO_STEP("woke the note, and waited for the other thread");
  note.wakeup();
  sleeper.join();
  EXPECT_FALSE(too_early) << "sleep() returned before anybody called wakeup()";
}

TEST(Notes, ASleeperUsesNoProcessor) {
  Note note;
  atomic<pid_t> its_id{0};
  std::thread sleeper([&] {
    its_id.store(gettid());
    note.sleep();
  });
  wait_until([&] { return its_id.load() != 0; });
  GORO_STEP("another thread sleeps on a note; this one works for 60 ms of processor time");
  // A sleeper is left alone from the moment it sleeps; until then it may be switched as often as a
  // busy machine likes. So a few windows of time are looked at, and one without a switch is enough.
  // Whoever is awake is switched to in every one: this thread pauses, and the others are as
  // entitled to a processor as it is.
  constexpr int kWindows = 5;
  std::int64_t mine = 0;
  std::int64_t its = 0;
  std::int64_t switches = -1;
  for (int window = 0; window < kWindows && switches != 0; ++window) {
    const std::int64_t time_before = processor_time_of(sleeper);
    const std::int64_t switches_before = switches_of(its_id.load());
    mine = work_for(kMuchWork);
    its = processor_time_of(sleeper) - time_before;
    switches = switches_of(its_id.load()) - switches_before;
    ASSERT_GE(switches_before, 0) << "the kernel does not say how often a thread was switched";
  }
  note.wakeup();
  sleeper.join();
  // It may be awake all the time on a processor of its own, and never be switched.
  EXPECT_LT(its, mine / 5) << "whoever sleeps on a note must sleep in the kernel (futex_sleep); "
                              "this one was busy waiting: it used "
                           << its / 1000 << " µs of processor time while this thread used "
                           << mine / 1000 << " µs";
  // Whoever gives up its processor and asks again uses little time on a busy machine, but is
  // switched to again and again.
  EXPECT_EQ(switches, 0) << "whoever sleeps on a note must sleep in the kernel (futex_sleep) until "
                            "it is woken; this one was busy waiting: it went to the processor and "
                            "back "
                         << switches << " times in the last of " << kWindows << " looks";
}

TEST(Notes, ATimedSleepSaysWhetherItWasWoken) {
  Note note;
  GORO_STEP("sleep_for 1 ms on a note that nobody wakes");
  const std::int64_t start = nanotime();
  EXPECT_FALSE(note.sleep_for(1'000'000)) << "nobody woke the note: sleep_for returns false";
  EXPECT_GE(nanotime() - start, 1'000'000) << "sleep_for returned before its time was over";
  GORO_STEP("sleep_for of 0 ns and of -1 ns");
  EXPECT_FALSE(note.sleep_for(0)) << "no time to wait, and nobody woke the note: false";
  EXPECT_FALSE(note.sleep_for(-1)) << "less than no time is no time";
  GORO_STEP("woke it, then sleep_for 1000 s, which must return at once");
  note.wakeup();
  EXPECT_TRUE(note.sleep_for(1'000'000'000'000)) << "the note is set: sleep_for returns true";
}

TEST(Notes, ASleepingMIsSeenToBeBlocked) {
  FakeM fake;
  Note note;
  const M* sleeping = nullptr;
  bool before = true;
  bool after = true;
  atomic<bool> ready{false};
  std::thread sleeper([&] {
    const FakeThread m(nullptr);
    sleeping = getm();
    before = getm()->blocked;
    ready.store(true);
    note.sleep();
    after = getm()->blocked;
  });
  wait_until([&] { return ready.load(); });
  GORO_STEP("an M sleeps on a note; waited until its `blocked` is true");
  // Bounded by work, so that an M that never says so fails the test and does not hang it.
  bool seen = false;
  const std::int64_t start = own_processor_time();
  while (!seen && own_processor_time() - start < 10 * kMuchWork) {
    seen = sleeping->blocked.look();
    osyield();
  }
  note.wakeup();
  sleeper.join();
  EXPECT_FALSE(before) << "an M that does not sleep is not blocked";
  EXPECT_TRUE(seen) << "m->blocked must be true while the M sleeps on a note: a dump shows it";
  EXPECT_FALSE(after) << "m->blocked must be false again after the sleep";
}

TEST(Notes, TheSleeperSeesWhatTheWakerWrote) {
  GORO_STEP("500 times: one thread writes to plain memory and wakes a note; another sleeps, reads");
  int wrong = 0;
  for (int round = 0; round < 500; ++round) {
    Note note;
    int written = 0;
    std::thread sleeper([&] {
      if (round % 2 == 0) {
        note.sleep();
      } else {
        note.sleep_for(1'000'000'000'000);
      }
      if (written != round + 1) ++wrong;
    });
    written = round + 1;
    note.wakeup();
    sleeper.join();
  }
  EXPECT_EQ(wrong, 0) << "what was written before wakeup() must be there after sleep(): wakeup "
                         "releases, is_set() acquires";
}

}  // namespace
}  // namespace goro::testing
