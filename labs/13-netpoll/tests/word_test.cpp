// A side's word, step by step. No descriptor, no second thread.
#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

struct Change {
  std::string word;   // afterwards
  std::uint64_t who;  // was returned; 0: nobody
};

constexpr std::uint64_t kNoGoroutine = 999;  // was returned, but is none

Change unblock(PollDesc& pd, PollMode mode, bool edge) {
  const G* gp = netpoll_unblock(&pd, mode, edge);
  const bool is_word = gp != nullptr && reinterpret_cast<std::uintptr_t>(gp) <= kPollWait;
  return {word_of(pd, mode), is_word ? kNoGoroutine : id_of(gp)};
}

constexpr PollMode kBoth[] = {PollMode::read, PollMode::write};

TEST(Unblock, AnEdgeTakesOutWhoWaits) {
  for (const PollMode mode : kBoth) {
    Words words;
    GORO_STEP("G1 is parked; netpoll_unblock with an edge");
    words.park(mode);
    const Change change = unblock(words.pd, mode, true);
    EXPECT_EQ(change.who, 1U) << "who waited is returned, to be woken";
    EXPECT_EQ(change.word, "ready") << "G1 must find out that there was an edge";
    EXPECT_EQ(words.woken(), Ids{}) << "the caller wakes it, not netpoll_unblock";
    EXPECT_EQ(netpoll_waiters.load(), 1) << "the caller counts it down, when it is in a queue";
  }
}

TEST(Unblock, WithoutAnEdgeNothingIsLeft) {
  Words words;
  GORO_STEP("G1 is parked; netpoll_unblock without an edge (a deadline, or close)");
  words.park(PollMode::read);
  const Change change = unblock(words.pd, PollMode::read, false);
  EXPECT_EQ(change.who, 1U);
  EXPECT_EQ(change.word, "none") << "ready would tell G1 that it can read";
}

TEST(Unblock, AnEdgeIsKeptUntilSomebodyWantsIt) {
  Words words;
  GORO_STEP("nobody waits; two edges");
  Change change = unblock(words.pd, PollMode::read, true);
  EXPECT_EQ(change.who, 0U);
  EXPECT_EQ(change.word, "ready") << "epoll reports an edge once: it must not be lost";
  change = unblock(words.pd, PollMode::read, true);
  EXPECT_EQ(change.who, 0U) << "ready is no goroutine";
  EXPECT_EQ(change.word, "ready") << "a second edge says nothing new";
}

TEST(Unblock, ADeadlineDoesNotEatAnEdge) {
  Words words;
  words.pd.side(PollMode::read).g.store(kPollReady);
  GORO_STEP("an edge is kept; netpoll_unblock without an edge");
  const Change change = unblock(words.pd, PollMode::read, false);
  EXPECT_EQ(change.who, 0U);
  EXPECT_EQ(change.word, "ready")
      << "the deadline may be moved, and then the edge is needed: epoll does not report it again";
}

TEST(Unblock, WithNobodyAndNoEdgeNothingChanges) {
  Words words;
  GORO_STEP("nobody waits; netpoll_unblock without an edge");
  const Change change = unblock(words.pd, PollMode::write, false);
  EXPECT_EQ(change.who, 0U);
  EXPECT_EQ(change.word, "none");
}

TEST(Unblock, WhoIsOnTheWayIsNotWoken) {
  for (const bool edge : {true, false}) {
    Words words;
    words.pd.side(PollMode::read).g.store(kPollWait);
    GORO_STEP("a goroutine is on its way off its stack (wait); netpoll_unblock, edge: ", edge);
    const Change change = unblock(words.pd, PollMode::read, edge);
    EXPECT_EQ(change.who, 0U) << "wait is no goroutine: it sees that the word has changed";
    EXPECT_EQ(change.word, edge ? "ready" : "none");
  }
}

TEST(Unblock, LeavesTheOtherSideAlone) {
  Words words;
  words.park(PollMode::read);
  words.park(PollMode::write);
  GORO_STEP("G1 waits to read, G2 to write; an edge for writing");
  EXPECT_EQ(id_of(netpoll_unblock(&words.pd, PollMode::write, true)), 2U);
  EXPECT_EQ(word_of(words.pd, PollMode::read), "G1");
}

TEST(Block, TakesAnEdgeThatIsThere) {
  for (const PollMode mode : kBoth) {
    Words words;
    words.pd.side(mode).g.store(kPollReady);
    GORO_STEP("an edge is kept; netpoll_block");
    EXPECT_TRUE(netpoll_block(&words.pd, mode)) << "there was an edge: no need to park";
    EXPECT_EQ(word_of(words.pd, mode), "none") << "it is taken, once";
    EXPECT_EQ(netpoll_waiters.load(), 0);
  }
}

TEST(Block, DoesNotParkIfClosedOrTooLate) {
  for (const std::uint32_t info : {kPollClosing, kPollReadTimeout}) {
    Words words;
    words.pd.info.store(info);
    GORO_STEP("closed, or past the deadline (info: ", info, "); netpoll_block");
    EXPECT_FALSE(netpoll_block(&words.pd, PollMode::read)) << "there was no edge";
    EXPECT_EQ(word_of(words.pd, PollMode::read), "none")
        << "it must take back its wait, or the next one is a \"double wait\"";
    EXPECT_EQ(netpoll_waiters.load(), 0) << "only who is parked is counted";
  }
}

TEST(Block, TwoOnOneSideAreFatal) {
  for (const bool parked : {true, false}) {
    GORO_STEP("somebody waits on that side already (parked: ", parked, "); netpoll_block");
    const ChildEnd end = in_child([parked] {
      Words words;
      if (parked) {
        words.park(PollMode::read);
      } else {
        words.pd.side(PollMode::read).g.store(kPollWait);
      }
      words.pd.info.store(kPollClosing);
      netpoll_block(&words.pd, PollMode::read);
    });
    EXPECT_TRUE(end.fatal_with("runtime: double wait"))
        << "there is one place for one goroutine; who wrote over it would lose it. The child "
        << end.told();
  }
}

TEST(Reset, ForgetsAnEdge) {
  Words words;
  words.pd.side(PollMode::read).g.store(kPollReady);
  words.pd.side(PollMode::write).g.store(kPollReady);
  GORO_STEP("edges are kept on both sides; poll_reset for reading");
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::read) == PollError::none);
  EXPECT_EQ(word_of(words.pd, PollMode::read), "none")
      << "the try that comes now sees all that the edge told of";
  EXPECT_EQ(word_of(words.pd, PollMode::write), "ready") << "the other side has not tried";
}

TEST(Reset, SaysWhyNot) {
  Words words;
  words.pd.side(PollMode::read).g.store(kPollReady);
  GORO_STEP("past the deadline for reading; poll_reset");
  words.pd.info.store(kPollReadTimeout);
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::read) == PollError::timeout);
  EXPECT_EQ(word_of(words.pd, PollMode::read), "ready") << "nothing is tried, the edge is kept";
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::write) == PollError::none)
      << "the deadline for reading is none for writing";
  GORO_STEP("and closed, too");
  words.pd.info.store(kPollReadTimeout | kPollClosing);
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::read) == PollError::closed)
      << "closed says more than a deadline";
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::write) == PollError::closed);
}

TEST(PollWait, SaysWhyNot) {
  Words words;
  GORO_STEP("past the deadline for writing; poll_wait");
  words.pd.info.store(kPollWriteTimeout);
  EXPECT_TRUE(poll_wait(&words.pd, PollMode::write) == PollError::timeout);
  words.pd.info.store(kPollClosing);
  EXPECT_TRUE(poll_wait(&words.pd, PollMode::write) == PollError::closed);
  EXPECT_EQ(word_of(words.pd, PollMode::write), "none");
  GORO_STEP("neither, and an edge is kept");
  words.pd.info.store(0);
  words.pd.side(PollMode::write).g.store(kPollReady);
  EXPECT_TRUE(poll_wait(&words.pd, PollMode::write) == PollError::none)
      << "there is reason to try again";
}

TEST(Closing, WakesBothSides) {
  Words words;
  words.park(PollMode::read);
  words.park(PollMode::write);
  GORO_STEP("G1 waits to read, G2 to write; poll_unblock");
  poll_unblock(&words.pd);
  Ids woken = words.woken();
  EXPECT_EQ(woken.size(), 2U) << "both must be woken, or they wait for ever";
  EXPECT_EQ(netpoll_waiters.load(), 0) << "who is woken is counted down";
  EXPECT_EQ(word_of(words.pd, PollMode::read), "none");
  EXPECT_EQ(word_of(words.pd, PollMode::write), "none");
  EXPECT_TRUE(words.pd.closing);
  EXPECT_TRUE(words.pd.lock.try_lock()) << "the lock must be free again";
  words.pd.lock.unlock();
}

TEST(Closing, WhoComesLaterIsTold) {
  Words words;
  GORO_STEP("poll_unblock, and then somebody wants to read");
  poll_unblock(&words.pd);
  EXPECT_TRUE(poll_reset(&words.pd, PollMode::read) == PollError::closed)
      << "whoever looks at `info` must see it: publish it";
  EXPECT_TRUE(poll_wait(&words.pd, PollMode::write) == PollError::closed);
}

TEST(Closing, StopsTheDeadlines) {
  Words words;
  GORO_STEP("deadlines that are far away; poll_unblock");
  for (const PollMode mode : kBoth) {
    words.pd.side(mode).timer.modify(
        kNever, 0, [](void*, std::uintptr_t, std::int64_t) {}, nullptr, 0);
    words.pd.side(mode).deadline = kNever;
  }
  poll_unblock(&words.pd);
  for (const PollMode mode : kBoth) {
    EXPECT_EQ(words.pd.side(mode).timer.when, 0)
        << "a timer that is left would fire for whatever uses this PollDesc then";
    EXPECT_EQ(words.pd.side(mode).seq, 1U)
        << "and one that is firing just now must find another seq";
  }
}

TEST(Closing, ASecondTimeIsFatal) {
  GORO_STEP("poll_unblock, twice");
  const ChildEnd end = in_child([] {
    Words words;
    poll_unblock(&words.pd);
    poll_unblock(&words.pd);
  });
  EXPECT_TRUE(end.fatal_with("runtime: unblock on closing polldesc")) << "the child " << end.told();
}

TEST(Closing, TheLastWhoWaitedCallsThePollerHome) {
  Words words;
  PollDesc other;
  words.park(PollMode::read);
  words.park(other, PollMode::read);
  somebody_sleeps_there();
  GORO_STEP("G1 and G2 wait, an M sleeps in poll_until for them; G1 is woken by poll_unblock");
  poll_unblock(&words.pd);
  EXPECT_EQ(sched.poll_broken.load(), 0U) << "G2 waits still: let the M sleep";
  GORO_STEP("G2 is woken by poll_unblock");
  poll_unblock(&other);
  EXPECT_EQ(sched.poll_broken.load(), 1U)
      << "nobody waits for the network any more. An M that sleeps for it is none that could find a "
         "deadlock: netpoll_break";
}

}  // namespace
}  // namespace goro::testing
