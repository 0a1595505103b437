// Step 3: values through the buffer, without waiting. One M, nothing else runs.
#include <deque>
#include <random>

#include "support.h"

namespace goro::testing {
namespace {

TEST(Buffer, ValuesComeOutInOrder) {
  FakeM fake;
  const Chan<int> ch(3);
  GORO_STEP("room for 3: send 1 and 2, then ten times: send one more, receive one");
  EXPECT_TRUE(ch.try_send(1)) << "there is room for 3";
  EXPECT_TRUE(ch.try_send(2)) << "there is room for 3";
  for (int i = 3; i <= 12; ++i) {
    ASSERT_TRUE(ch.try_send(int{i})) << "there is room for one more";
    const Got<int> got = ch.try_receive();
    ASSERT_TRUE(got.selected) << "there were three values in the buffer";
    ASSERT_TRUE(got.received) << "a value came, so received must be true";
    ASSERT_EQ(*got.value, i - 2) << "the oldest value goes first, also where the ring wraps";
  }
  EXPECT_EQ(ch->qcount.load(), 2U) << "two values are left in the buffer, and qcount says so";
}

TEST(Buffer, FullMeansNo) {
  FakeM fake;
  const Chan<std::unique_ptr<int>> ch(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  GORO_STEP("room for 1: send two, without waiting");
  EXPECT_TRUE(ch.try_send(first)) << "there is room for 1";
  EXPECT_EQ(first, nullptr) << "a value that was sent is moved from";
  EXPECT_FALSE(ch.try_send(second)) << "the buffer is full, and !block: it must be false";
  EXPECT_NE(second, nullptr) << "a value that was not sent stays where it is";
  EXPECT_EQ(ch->qcount.load(), 1U) << "one value is in the buffer";
  expect_let_go(ch.get(), "a send that said no");
}

TEST(Buffer, EmptyMeansNo) {
  FakeM fake;
  for (const std::size_t capacity : {0U, 2U}) {
    GORO_STEP("room for ", capacity, ": receive from the empty channel, without waiting");
    const Chan<int> ch(capacity);
    int place = 77;
    const ReceiveResult result = chanrecv(ch.get(), &place, false);
    EXPECT_FALSE(result.selected) << "nothing is there, and the channel is open: not selected";
    EXPECT_FALSE(result.received) << "no value came";
    EXPECT_EQ(place, 77) << "what did not happen changes nothing: the place is untouched";
    expect_let_go(ch.get(), "a receive that said no");
  }
}

TEST(Buffer, WithoutRoomAndPartnerASendSaysNo) {
  FakeM fake;
  const Chan<int> ch(0);
  GORO_STEP("no buffer and nobody waits: send without waiting");
  EXPECT_FALSE(ch.try_send(1)) << "nobody is there to take the value";
  expect_let_go(ch.get(), "a send that said no");
}

TEST(Buffer, NilIsNeverReady) {
  FakeM fake;
  int value = 5;
  GORO_STEP("send to and receive from the nil channel, without waiting");
  EXPECT_FALSE(chansend(nullptr, &value, false)) << "the nil channel is never ready";
  const ReceiveResult result = chanrecv(nullptr, &value, false);
  EXPECT_FALSE(result.selected) << "the nil channel is never ready";
  EXPECT_EQ(value, 5) << "nothing happened";
}

TEST(Buffer, WhoWouldNotWaitBehavesTheSame) {
  FakeM fake;
  const Chan<int> ch(2);
  GORO_STEP("block is true, but there is room, and then there are values");
  int value = 8;
  EXPECT_TRUE(chansend(ch.get(), &value, true)) << "there is room: nobody waits";
  expect_let_go(ch.get(), "a send");
  int place = 0;
  const ReceiveResult result = chanrecv(ch.get(), &place, true);
  EXPECT_TRUE(result.selected && result.received) << "there is a value: nobody waits";
  EXPECT_EQ(place, 8) << "the value that was sent";
  expect_let_go(ch.get(), "a receive");
}

TEST(Buffer, AClosedChannelTakesNothing) {
  FakeM fake;
  for (const bool block : {false, true}) {
    const Chan<std::unique_ptr<int>> ch(2);
    ch.mark_closed();
    auto value = std::make_unique<int>(1);
    GORO_STEP("the channel is closed, with room for 2; send, block ", block ? "true" : "false");
    EXPECT_EQ(panic_of([&] { chansend(ch.get(), &value, block); }), "send on closed channel")
        << "a send on a closed channel must throw this Panic, room or not";
    EXPECT_NE(value, nullptr) << "a value that was not sent stays where it is";
    EXPECT_EQ(ch->qcount.load(), 0U) << "nothing must go into a closed channel";
    expect_let_go(ch.get(), "the Panic");
  }
}

TEST(Buffer, AClosedChannelGivesWhatIsLeft) {
  FakeM fake;
  const Chan<int> ch(3);
  ch.try_send(1);
  ch.try_send(2);
  ch.mark_closed();
  GORO_STEP("two values are in the buffer when the channel is closed");
  EXPECT_EQ(ch.next(), 1) << "a closed channel gives what is left in its buffer";
  EXPECT_EQ(ch.next(), 2) << "a closed channel gives what is left in its buffer";
  for (const bool block : {false, true}) {
    int place = 77;
    const ReceiveResult end = chanrecv(ch.get(), &place, block);
    EXPECT_TRUE(end.selected) << "closed and empty: a receive is always ready";
    EXPECT_FALSE(end.received) << "but it has no value";
    EXPECT_EQ(place, 77) << "no value came: the place is untouched";
    expect_let_go(ch.get(), "a receive at the end");
  }
}

// Looks around while it is moved.
struct Witness {
  static inline Hchan* channel = nullptr;
  static inline int moves = 0;
  static inline int unlocked = 0;
  static inline int preemptible = 0;
  Witness() = default;
  Witness(Witness&&) noexcept {
    if (channel == nullptr) return;
    ++moves;
    if (channel->lock.try_lock()) {
      channel->lock.unlock();
      ++unlocked;
    }
    if (getm()->locks == 0) ++preemptible;
  }
};

TEST(Buffer, ElementsMoveUnderTheLock) {
  FakeM fake;
  const Chan<Witness> ch(1);
  Witness value;
  std::optional<Witness> place;
  GORO_STEP("send and receive an element that looks around while it is moved");
  Witness::channel = ch.get();
  chansend(ch.get(), &value, false);
  chanrecv(ch.get(), &place, false);
  Witness::channel = nullptr;
  EXPECT_EQ(Witness::moves, 2) << "once into the buffer and once out of it";
  EXPECT_EQ(Witness::unlocked, 0) << "c->lock must be held while an element moves";
  EXPECT_EQ(Witness::preemptible, 0)
      << "who holds c->lock must not be preempted: between acquirem and releasem";
}

TEST(Buffer, AMoveThatThrowsChangesNothing) {
  {
    FakeM fake;
    const Chan<Fragile> ch(2);
    Fragile one(1);
    GORO_STEP("the move into the buffer throws");
    EXPECT_EQ(failure_of(1, [&] { ch.try_send(one); }), "a move failed")
        << "whoever runs the operation gets the exception";
    EXPECT_FALSE(one.moved_from) << "the value is where it was";
    EXPECT_EQ(ch->qcount.load(), 0U) << "count a value when it is in the buffer, not before";
    expect_let_go(ch.get(), "a move that threw");
    EXPECT_TRUE(ch.try_send(one)) << "the next try must do";
    EXPECT_TRUE(ch.try_send(Fragile(2))) << "there is room for 2";
    GORO_STEP("the move out of the buffer throws");
    std::optional<Fragile> place;
    EXPECT_EQ(failure_of(1, [&] { chanrecv(ch.get(), &place, false); }), "a move failed")
        << "whoever runs the operation gets the exception";
    EXPECT_EQ(ch->qcount.load(), 2U) << "both values are still in the buffer";
    expect_let_go(ch.get(), "a move that threw");
    for (const int expected : {1, 2}) {
      chanrecv(ch.get(), &place, false);
      ASSERT_TRUE(place.has_value()) << "both values are still in the buffer";
      EXPECT_EQ(place->value, expected) << "the oldest goes first, as if nothing had happened";
      place.reset();
    }
  }
  EXPECT_EQ(Fragile::alive, 0) << "every element must be destroyed once, and only once";
}

TEST(Buffer, IsAQueueWhateverIsDone) {
  for (const std::uint64_t seed : seeds_up_to(20)) {
    GORO_STEP("500 random sends and receives beside a std::deque (", again_with(seed), ")");
    FakeM fake;
    std::mt19937_64 random(seed);
    const std::size_t capacity = 1 + random() % 5;
    const Chan<int> ch(capacity);
    std::deque<int> model;
    for (int i = 0; i < 500; ++i) {
      if (random() % 2 == 0) {
        const bool room = model.size() < capacity;
        ASSERT_EQ(ch.try_send(int{i}), room)
            << model.size() << " values are in a buffer for " << capacity;
        if (room) model.push_back(i);
      } else {
        const Got<int> got = ch.try_receive();
        ASSERT_EQ(got.selected, !model.empty())
            << model.size() << " values are in a buffer for " << capacity;
        if (model.empty()) continue;
        ASSERT_EQ(*got.value, model.front()) << "the oldest goes first";
        model.pop_front();
      }
      ASSERT_EQ(ch->qcount.load(), model.size()) << "qcount is the number of values in the buffer";
    }
  }
}

}  // namespace
}  // namespace goro::testing
