// Step 2: all locks, and the first pass. On one M that runs a goroutine; whoever waits has never
// run. No select in here may wait.
#include <array>
#include <deque>

#include "support.h"

namespace goro::testing {
namespace {

TEST(FirstPass, NobodyIsReady) {
  const FakeGoroutine goroutine;
  const Chan<int> empty(1);
  const Chan<int> full(1);
  const Chan<int> nobody;
  full.try_send(1);
  int value = 7;
  int place = 0;
  GORO_STEP("receive from an empty channel, send to a full one, send where nobody waits; default");
  Cases cases;
  cases.receive(empty, &place).send(full, &value).nil_send(&value).send(nobody, &value);
  const SelectResult result = cases.try_select();
  EXPECT_EQ(result.index, -1) << "nothing is ready, and it must not wait: index -1";
  EXPECT_FALSE(result.received) << "nothing was received";
  for (const Chan<int>* c : {&empty, &full, &nobody}) {
    expect_let_go(c->get(), "a select with nothing ready");
    EXPECT_TRUE((*c)->recvq.empty() && (*c)->sendq.empty())
        << "a select that must not wait must be in no queue";
  }
}

TEST(FirstPass, AValueInTheBufferIsReceived) {
  const FakeGoroutine goroutine;
  const Chan<int> a(2);
  const Chan<int> b(2);
  b.try_send(7);
  b.try_send(8);
  int places[2] = {-1, -1};
  GORO_STEP("a is empty, b has 7 and 8; receive from a or b");
  Cases cases;
  const SelectResult result = cases.receive(a, &places[0]).receive(b, &places[1]).try_select();
  EXPECT_EQ(result.index, 1) << "b is ready: its case is the result";
  EXPECT_TRUE(result.received) << "there was a value";
  EXPECT_EQ(places[1], 7) << "the oldest value of the buffer";
  EXPECT_EQ(places[0], -1) << "the place of another case is untouched";
  EXPECT_EQ(b->qcount.load(), 1U) << "one value is left: qcount";
  expect_let_go(a.get(), "a receive from b");
  expect_let_go(b.get(), "a receive from b");
}

TEST(FirstPass, RoomInTheBufferTakesAValue) {
  const FakeGoroutine goroutine;
  const Chan<int> a;
  const Chan<int> b(2);
  int values[2] = {5, 6};
  GORO_STEP("nobody receives from a, b has room; send 5 to a or 6 to b");
  Cases cases;
  const SelectResult result = cases.send(a, &values[0]).send(b, &values[1]).try_select();
  EXPECT_EQ(result.index, 1) << "b has room: its case is the result";
  EXPECT_FALSE(result.received) << "received is for receives only";
  EXPECT_EQ(b->qcount.load(), 1U) << "one value is in the buffer: qcount";
  expect_let_go(a.get(), "a send to b");
  expect_let_go(b.get(), "a send to b");
  EXPECT_EQ(b.next(), 6) << "the value of the case that ran";
}

TEST(FirstPass, TheRingGoesRound) {
  const FakeGoroutine goroutine;
  const Chan<int> ch(3);
  const Chan<int> never;
  GORO_STEP("a buffer for 3; two values in and two out by selects, ten times");
  int next_in = 1;
  int next_out = 1;
  int place = 0;
  for (int round = 1; round <= 10; ++round) {
    for (int i = 0; i < 2; ++i) {
      int value = next_in++;
      ASSERT_EQ(Cases().send(ch, &value).receive(never, &place).try_select().index, 0)
          << "there is room";
    }
    for (int i = 0; i < 2; ++i) {
      int value = -1;
      ASSERT_EQ(Cases().receive(never, &place).receive(ch, &value).try_select().index, 1)
          << "there is a value";
      ASSERT_EQ(value, next_out++)
          << "the buffer is a ring: sendx and recvx go from the last slot to slot 0";
    }
  }
}

TEST(FirstPass, AReceiverThatWaitsIsServed) {
  FakeGoroutine goroutine;
  const Chan<int> a;
  const Chan<int> b(2);
  const Receiver<int> receiver(goroutine.fake, b);
  int values[2] = {5, 6};
  GORO_STEP("G1 waits to receive from b, which has room, too; send 5 to a or 6 to b");
  Cases cases;
  EXPECT_EQ(cases.send(a, &values[0]).send(b, &values[1]).try_select().index, 1)
      << "somebody waits at b: its case is the result";
  ASSERT_TRUE(receiver.woken()) << "G1 was waiting for a value: look for receivers before room";
  EXPECT_EQ(receiver.place, 6) << "the value goes straight into the receiver's place";
  EXPECT_TRUE(receiver.finds_its_sudog()) << "G1 was served: use send() of slot 09";
  EXPECT_TRUE(receiver.sg.success) << "G1 was served by a value: use send() of slot 09";
  EXPECT_EQ(b->qcount.load(), 0U) << "the value does not go through the buffer";
  expect_let_go(a.get(), "a send to b");
  expect_let_go(b.get(), "a send to b");
}

TEST(FirstPass, ASenderThatWaitsIsServed) {
  FakeGoroutine goroutine;
  const Chan<int> a;
  const Chan<int> b;
  const Sender<int> sender(goroutine.fake, b, 42);
  int places[2] = {-1, -1};
  GORO_STEP("G1 waits to send 42 to b; receive from a or b");
  Cases cases;
  const SelectResult result = cases.receive(a, &places[0]).receive(b, &places[1]).try_select();
  EXPECT_EQ(result.index, 1) << "somebody waits at b: its case is the result";
  EXPECT_TRUE(result.received) << "there was a value";
  EXPECT_EQ(places[1], 42) << "the value comes from G1's hand";
  EXPECT_TRUE(sender.woken()) << "its value was taken: G1 may go on";
  expect_let_go(a.get(), "a receive from b");
  expect_let_go(b.get(), "a receive from b");
}

TEST(FirstPass, AtAFullBufferTheOldestGoesFirst) {
  FakeGoroutine goroutine;
  const Chan<int> never;
  const Chan<int> ch(2);
  ch.try_send(1);
  ch.try_send(2);
  const Sender<int> sender(goroutine.fake, ch, 3);
  int place = -1;
  GORO_STEP("1 and 2 are in the buffer for 2, and G1 waits to send 3; receive by a select");
  const SelectResult result = Cases().receive(never, &place).receive(ch, &place).try_select();
  EXPECT_EQ(result.index, 1) << "there is a value";
  EXPECT_EQ(place, 1) << "the oldest value first";
  EXPECT_TRUE(sender.woken())
      << "a slot came free, and G1 still waits for one: look for senders before the buffer";
  EXPECT_EQ(ch->qcount.load(), 2U) << "one out, one in";
  EXPECT_EQ(ch.next(), 2) << "values stay in order";
  EXPECT_EQ(ch.next(), 3) << "values stay in order";
}

TEST(FirstPass, AClosedChannelGivesWhatIsLeft) {
  const FakeGoroutine goroutine;
  const Chan<int> never;
  const Chan<int> ch(2);
  ch.try_send(1);
  ch.mark_closed();
  int place = -1;
  Cases cases;
  cases.receive(never, &place).receive(ch, &place);
  GORO_STEP("a channel is closed with 1 in its buffer; receive twice by a select");
  SelectResult result = cases.try_select();
  EXPECT_EQ(result.index, 1) << "there is a value";
  EXPECT_TRUE(result.received) << "what is buffered comes before the end";
  EXPECT_EQ(place, 1) << "what is buffered comes before the end";
  place = 77;
  result = cases.try_select();
  EXPECT_EQ(result.index, 1) << "closed and empty: a receive is always ready";
  EXPECT_FALSE(result.received) << "but it has no value";
  EXPECT_EQ(place, 77) << "no value came: the place is untouched";
  expect_let_go(ch.get(), "a receive at the end");
  expect_let_go(never.get(), "a receive at the end");
}

TEST(FirstPass, ASendToAClosedChannelPanics) {
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{2}}) {
    const FakeGoroutine goroutine;
    const Chan<int> never;
    const Chan<int> ch(capacity);
    ch.mark_closed();
    int value = 1;
    int place = -1;
    GORO_STEP("send by a select to a closed channel with room for ", capacity);
    EXPECT_EQ(panic_of([&] { Cases().receive(never, &place).send(ch, &value).try_select(); }),
              "send on closed channel")
        << "look at closed first: a closed channel takes nothing";
    EXPECT_EQ(ch->qcount.load(), 0U) << "a closed channel takes nothing";
    expect_let_go(ch.get(), "the Panic");
    expect_let_go(never.get(), "the Panic");
  }
}

TEST(FirstPass, TheFirstReadyCaseInPollOrderRunsAndNoOther) {
  FakeGoroutine goroutine;
  for (int round = 1; round <= 60; ++round) {
    GORO_STEP("round ", round, ": 0 has a value, 1 has room, 2 is closed; 3 is not ready");
    const Chan<int> value(1);
    const Chan<int> room(1);
    const Chan<int> closed;
    const Chan<int> never;
    value.try_send(1);
    closed.mark_closed();
    int places[4] = {-1, 5, -1, -1};
    Cases cases;
    cases.receive(value, &places[0]).send(room, &places[1]);
    cases.receive(closed, &places[2]).receive(never, &places[3]);
    const SelectResult result = cases.try_select();
    const std::vector<int> order = cases.poll_order();
    ASSERT_EQ(result.index, order[0] == 3 ? order[1] : order[0])
        << "the poll order was " << shown(order) << ": the first of these that is ready must run";
    EXPECT_EQ(value->qcount.load(), result.index == 0 ? 0U : 1U) << "exactly one case runs";
    EXPECT_EQ(room->qcount.load(), result.index == 1 ? 1U : 0U) << "exactly one case runs";
    EXPECT_EQ(result.received, result.index == 0) << "only case 0 receives a value";
    for (const Chan<int>* c : {&value, &room, &closed, &never}) {
      expect_let_go(c->get(), "a select");
    }
    if (HasFailure()) return;
  }
}

TEST(FirstPass, EachReadyCaseHasTheSameChance) {
  constexpr int kRounds = 8000;
  const FakeGoroutine goroutine;
  std::deque<Chan<int>> channels;
  for (int i = 0; i < 4; ++i) channels.emplace_back(std::size_t{1});
  for (const int ready : {4, 2}) {
    GORO_STEP("four cases, the first ", ready, " of them ready; ", kRounds, " selects");
    for (const Chan<int>& c : channels) c.try_receive();
    for (int i = 0; i < ready; ++i) channels[static_cast<std::size_t>(i)].try_send(1);
    std::array<int, 4> places{};
    std::array<int, 4> times{};
    Cases cases;
    for (std::size_t i = 0; i < 4; ++i) cases.receive(channels[i], &places[i]);
    for (int i = 0; i < kRounds; ++i) {
      const int index = cases.try_select().index;
      ASSERT_TRUE(index >= 0 && index < ready) << "one of the first " << ready << " is ready";
      ++times[static_cast<std::size_t>(index)];
      channels[static_cast<std::size_t>(index)].try_send(1);
    }
    for (int i = 0; i < ready; ++i) {
      EXPECT_NEAR(times[static_cast<std::size_t>(i)], kRounds / ready, 300)
          << "case " << i << " does not have the same chance as the others";
    }
  }
}

TEST(FirstPass, ASelectThatWasWonElsewhereIsPassedOver) {
  FakeGoroutine goroutine;
  const Chan<int> never;
  const Chan<int> ch;
  const Receiver<int> lost(goroutine.fake, ch);
  lost.sg.is_select = true;
  lost.g->select_done.store(true);
  int value = 1;
  int place = -1;
  GORO_STEP("G1's select waits at ch, but another channel serves it already; send by a select");
  EXPECT_EQ(Cases().receive(never, &place).send(ch, &value).try_select().index, -1)
      << "nobody else waits: only what dequeue() returns is a partner, not whoever is in the queue";
  EXPECT_FALSE(lost.woken()) << "whoever serves G1 wakes it";
  const Receiver<int> free(goroutine.fake, ch);
  GORO_STEP("G2 waits there as well; send once more");
  EXPECT_EQ(Cases().receive(never, &place).send(ch, &value).try_select().index, 1)
      << "G2 waits for a value";
  EXPECT_TRUE(free.woken()) << "G2 was served";
}

// Looks around while it is moved.
struct Witness {
  static inline std::vector<Hchan*> channels;
  static inline int moves = 0;
  static inline int unlocked = 0;
  static inline int preemptible = 0;
  Witness() = default;
  Witness(Witness&&) noexcept {
    ++moves;
    for (Hchan* c : channels) {
      if (!c->lock.try_lock()) continue;
      c->lock.unlock();
      ++unlocked;
    }
    if (getm()->locks == 0) ++preemptible;
  }
};

TEST(FirstPass, ElementsMoveUnderAllLocks) {
  const FakeGoroutine goroutine;
  const Chan<Witness> a(1);
  const Chan<Witness> b;
  const Chan<Witness> c;
  Witness value;
  std::optional<Witness> places[3];
  GORO_STEP("select an element into a buffer and out of it; it looks around while it is moved");
  Witness::channels = {a.get(), b.get(), c.get()};
  Cases().receive(b, &places[1]).send(a, &value).receive(c, &places[2]).try_select();
  Cases().receive(b, &places[1]).receive(a, &places[0]).receive(c, &places[2]).try_select();
  Witness::channels.clear();
  EXPECT_EQ(Witness::moves, 2) << "once into the buffer and once out of it";
  EXPECT_EQ(Witness::unlocked, 0) << "all channels of the select must be locked in the first pass";
  EXPECT_EQ(Witness::preemptible, 0)
      << "who holds a channel's lock must not be preempted: between acquirem and releasem";
}

TEST(FirstPass, AMoveThatThrowsChangesNothing) {
  FakeGoroutine goroutine;
  const Chan<Fragile> a(1);
  const Chan<Fragile> b(1);
  Fragile value(1);
  std::optional<Fragile> place;
  const auto sends = [&] { Cases().receive(b, &place).send(a, &value).try_select(); };
  const auto receives = [&] { Cases().receive(b, &place).receive(a, &place).try_select(); };
  GORO_STEP("the move of an element into the buffer throws");
  EXPECT_EQ(failure_of(1, sends), "a move failed") << "the select ends with the exception";
  EXPECT_EQ(a->qcount.load(), 0U) << "nothing came: change qcount after the move";
  expect_let_go(a.get(), "a move that threw");
  expect_let_go(b.get(), "a move that threw");
  sends();
  ASSERT_EQ(a->qcount.load(), 1U) << "now it is moved";
  GORO_STEP("the move out of the buffer throws");
  EXPECT_EQ(failure_of(1, receives), "a move failed") << "the select ends with the exception";
  EXPECT_EQ(a->qcount.load(), 1U) << "nothing went: change qcount after the move";
  expect_let_go(a.get(), "a move that threw");
  expect_let_go(b.get(), "a move that threw");
  GORO_STEP("G1 waits to receive, and the move into its place throws");
  const Chan<Fragile> c;
  const Receiver<Fragile> receiver(goroutine.fake, c);
  Fragile other(2);
  EXPECT_EQ(failure_of(1, [&] { Cases().receive(b, &place).send(c, &other).try_select(); }),
            "a move failed")
      << "the select ends with the exception";
  ASSERT_TRUE(receiver.woken()) << "G1 was taken out of its queue: it must look again";
  EXPECT_EQ(receiver.g->param, nullptr) << "nothing happened to G1: param null";
  expect_let_go(b.get(), "a move that threw");
  expect_let_go(c.get(), "a move that threw");
}

}  // namespace
}  // namespace goro::testing
