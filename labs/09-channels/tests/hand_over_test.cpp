// Step 4: from hand to hand. The partners wait in the queues, but have never run; one M, nothing
// else runs.
#include "support.h"

namespace goro::testing {
namespace {

TEST(HandOver, ASendServesTheReceiverThatWaits) {
  FakeM fake;
  const Chan<int> ch;
  Receiver<int> receiver(fake, ch);
  GORO_STEP("G1 waits to receive, without a buffer; send 42");
  EXPECT_TRUE(ch.try_send(42)) << "somebody waits for a value, so the send need not";
  EXPECT_EQ(receiver.place, 42) << "the value must be in the receiver's place (sg->elem)";
  EXPECT_TRUE(ch->recvq.empty()) << "who was served waits no more";
  ASSERT_TRUE(receiver.woken()) << "the receiver must be woken (wake_waiter)";
  EXPECT_TRUE(receiver.finds_its_sudog())
      << "param must be its sudog: by that a goroutine knows that it was served";
  EXPECT_TRUE(receiver.sg.success) << "woken by a value, not by close: success";
  EXPECT_EQ(receiver.sg.elem, nullptr)
      << "the sudog must not lead to a stack that moves again: elem null";
  EXPECT_EQ(fake.p(0)->runnext.load(), receiver.g) << "who was woken last runs next";
  expect_let_go(ch.get(), "a send");
}

TEST(HandOver, TheValueGoesPastTheBuffer) {
  FakeM fake;
  const Chan<int> ch(2);
  const Receiver<int> receiver(fake, ch);
  GORO_STEP("G1 waits at an empty buffer for 2; send 42");
  EXPECT_TRUE(ch.try_send(42)) << "somebody waits for a value, so the send need not";
  EXPECT_EQ(receiver.place, 42) << "a receiver that waits gets the value itself";
  EXPECT_EQ(ch->qcount.load(), 0U)
      << "the value must not go into the buffer too: look for a receiver before you look for room";
  EXPECT_EQ(ch->sendx, 0U) << "the buffer was not used";
}

TEST(HandOver, AReceiveServesTheSenderThatWaits) {
  FakeM fake;
  const Chan<int> ch;
  Sender<int> sender(fake, ch, 42);
  GORO_STEP("G1 waits to send 42, without a buffer; receive");
  EXPECT_EQ(ch.next(), 42) << "the value must come from the sender's hand (sg->elem)";
  EXPECT_TRUE(ch->sendq.empty()) << "who was served waits no more";
  ASSERT_TRUE(sender.woken()) << "the sender must be woken (wake_waiter)";
  EXPECT_TRUE(sender.finds_its_sudog())
      << "param must be its sudog: by that a goroutine knows that it was served";
  EXPECT_TRUE(sender.sg.success) << "its value was taken, the channel is not closed: success";
  EXPECT_EQ(sender.sg.elem, nullptr)
      << "the sudog must not lead to a stack that moves again: elem null";
  expect_let_go(ch.get(), "a receive");
}

TEST(HandOver, AtAFullBufferTheOldestGoesFirst) {
  FakeM fake;
  const Chan<int> ch(3);
  for (int i = 1; i <= 3; ++i) ch.try_send(int{i});
  const Sender<int> four(fake, ch, 4);
  const Sender<int> five(fake, ch, 5);
  GORO_STEP("1 2 3 are in the buffer for 3; G1 waits to send 4, G2 to send 5; receive");
  EXPECT_EQ(ch.next(), 1) << "buffered values were overtaken: the receiver gets the oldest value "
                             "of the buffer, not the sender's";
  EXPECT_TRUE(four.woken()) << "a slot came free: the first sender's value takes it, and it may go";
  EXPECT_FALSE(five.woken()) << "only one slot came free";
  EXPECT_EQ(ch->qcount.load(), 3U) << "one out, one in: the buffer is as full as before";
  EXPECT_EQ(ch->sendx, ch->recvx) << "the buffer is full: the next send goes where the next "
                                     "receive takes";
  GORO_STEP("receive four times more");
  for (const int expected : {2, 3, 4, 5}) {
    EXPECT_EQ(ch.next(), expected) << "values must come out in the order in which they were sent";
  }
  EXPECT_TRUE(five.woken()) << "the second sender's value went into the second slot";
  EXPECT_EQ(ch->qcount.load(), 0U) << "all five are out";
}

TEST(HandOver, WhoCameFirstIsServedFirst) {
  FakeM fake;
  const Chan<int> ch;
  const Receiver<int> first(fake, ch);
  const Receiver<int> second(fake, ch);
  const Receiver<int> third(fake, ch);
  GORO_STEP("G1, G2 and G3 wait to receive; send 10, 20, 30");
  for (const int value : {10, 20, 30}) ch.try_send(int{value});
  EXPECT_EQ(first.place, 10) << "first come, first served";
  EXPECT_EQ(second.place, 20) << "first come, first served";
  EXPECT_EQ(third.place, 30) << "first come, first served";
}

TEST(HandOver, ASelectThatWasWonElsewhereIsPassedOver) {
  FakeM fake;
  const Chan<int> ch;
  Receiver<int> gone(fake, ch);
  const Receiver<int> waits(fake, ch);
  gone.sg.is_select = true;
  gone.g->select_done.store(true);
  GORO_STEP("first in the queue is a select that another channel serves already; send 42");
  EXPECT_TRUE(ch.try_send(42)) << "the second one in the queue still waits";
  EXPECT_EQ(waits.place, 42) << "the value must go to who still waits";
  EXPECT_FALSE(gone.woken()) << "the select is woken by whoever serves it, and once only";
}

TEST(HandOver, TheLockIsReleasedBeforeTheWaiterCanRun) {
  FakeM fake;
  const Chan<int> ch;
  const Receiver<int> receiver(fake, ch);
  const Sender<int> sender(fake, ch, 7);
  int received = 0;
  struct Seen {
    Hchan* c;
    const Waits* waiter;
    int unlocks = 0;
    bool awake = false;
  };
  const auto unlock = [](void* arg) {
    auto* s = static_cast<Seen*>(arg);
    ++s->unlocks;
    s->awake = s->waiter->woken();
    s->c->lock.unlock();
  };
  const auto serve = [&](const Waits& waiter, bool is_send) {
    forget_all(&ch->recvq);
    forget_all(&ch->sendq);
    Seen seen{ch.get(), &waiter};
    ch->lock.lock();
    int value = 42;
    Sudog* sg = &waiter.sg;
    if (is_send) {
      send(ch.get(), sg, &value, {unlock, &seen});
    } else {
      recv(ch.get(), sg, &received, {unlock, &seen});
    }
    EXPECT_EQ(seen.unlocks, 1) << "unlockf must be called, once: a select holds other locks too";
    EXPECT_FALSE(seen.awake) << "the waiter was woken under the lock: it would run straight into "
                                "it. unlockf first, wake_waiter last";
    EXPECT_TRUE(waiter.woken()) << "and then the waiter must be woken";
  };
  GORO_STEP("send() to a receiver, with an unlockf that looks whether the receiver is awake");
  serve(receiver, true);
  EXPECT_EQ(receiver.place, 42) << "the value must be there before the waiter is woken";
  GORO_STEP("recv() from a sender, likewise");
  serve(sender, false);
  EXPECT_EQ(received, 7) << "the value must be taken from the sender's hand";
}

TEST(HandOver, AMoveThatThrowsWakesThePartnerToLookAgain) {
  {
    FakeM fake;
    const Chan<Fragile> ch;
    Receiver<Fragile> receiver(fake, ch);
    Fragile value(1);
    GORO_STEP("G1 waits to receive; the move of the value into its place throws");
    EXPECT_EQ(failure_of(1, [&] { ch.try_send(value); }), "a move failed")
        << "the sender gets the exception";
    ASSERT_TRUE(receiver.woken()) << "it was taken out of the queue: it must be woken, or it waits "
                                     "for ever. Name it as the partner";
    EXPECT_EQ(receiver.g->param, nullptr) << "param null: nothing happened, it begins again";
    EXPECT_FALSE(receiver.place.has_value()) << "nothing came";
    EXPECT_FALSE(receiver.sg.success) << "nothing came: no success";
    expect_let_go(ch.get(), "a move that threw");
  }
  {
    FakeM fake;
    const Chan<Fragile> ch;
    Sender<Fragile> sender(fake, ch, Fragile(1));
    std::optional<Fragile> place;
    GORO_STEP("G1 waits to send; the move out of its hand throws");
    EXPECT_EQ(failure_of(1, [&] { chanrecv(ch.get(), &place, false); }), "a move failed")
        << "the receiver gets the exception";
    ASSERT_TRUE(sender.woken()) << "it was taken out of the queue: it must be woken, or it waits "
                                   "for ever. Name it as the partner";
    EXPECT_EQ(sender.g->param, nullptr) << "param null: nothing happened, it begins again";
    EXPECT_FALSE(sender.value.moved_from) << "its value is where it was";
    expect_let_go(ch.get(), "a move that threw");
  }
}

TEST(HandOver, ARefillThatFailsLeavesTheSlotFree) {
  FakeM fake;
  const Chan<Fragile> ch(2);
  ch.try_send(Fragile(1));
  ch.try_send(Fragile(2));
  Sender<Fragile> sender(fake, ch, Fragile(3));
  std::optional<Fragile> place;
  GORO_STEP(
      "1 2 are in the buffer for 2, G1 waits to send 3; receive: 1 comes out, and the move "
      "of 3 into the slot throws");
  EXPECT_EQ(failure_of(2, [&] { chanrecv(ch.get(), &place, false); }), "nothing was thrown")
      << "the receiver has its value: the exception is not for it";
  ASSERT_TRUE(place.has_value()) << "the receiver has its value";
  EXPECT_EQ(place->value, 1) << "the oldest";
  EXPECT_EQ(ch->qcount.load(), 1U) << "one out, none in: the slot stays free, and qcount says so";
  ASSERT_TRUE(sender.woken()) << "the sender must be woken, to send again itself";
  EXPECT_EQ(sender.g->param, nullptr) << "param null: nothing happened to it, it begins again";
  EXPECT_FALSE(sender.sg.success) << "its value was not taken: no success";
  expect_let_go(ch.get(), "a receive");
  GORO_STEP("send 4, receive two");
  EXPECT_TRUE(ch.try_send(Fragile(4))) << "a slot is free";
  for (const int expected : {2, 4}) {
    place.reset();
    chanrecv(ch.get(), &place, false);
    ASSERT_TRUE(place.has_value()) << "two values are in the buffer";
    EXPECT_EQ(place->value, expected)
        << "the next value must go into the slot that stayed free: sendx stays behind recvx";
  }
}

TEST(HandOver, ARefillThatFailsServesTheNextSender) {
  FakeM fake;
  const Chan<Fragile> ch(1);
  ch.try_send(Fragile(1));
  const Sender<Fragile> two(fake, ch, Fragile(2));
  const Sender<Fragile> three(fake, ch, Fragile(3));
  std::optional<Fragile> place;
  GORO_STEP(
      "1 is in the buffer for 1, G1 waits to send 2, G2 to send 3; receive: 1 comes out, the move "
      "of 2 into the slot throws, the move of 3 does not");
  EXPECT_EQ(failure_of(2, [&] { chanrecv(ch.get(), &place, false); }), "nothing was thrown")
      << "the receiver has its value: the exception is not for it";
  ASSERT_TRUE(two.woken()) << "G1 must look again itself";
  EXPECT_EQ(two.g->param, nullptr)
      << "G1's value was not taken: only the sender that refill_element returns was served";
  ASSERT_TRUE(three.woken()) << "G2's value took the slot: it may go";
  EXPECT_TRUE(three.finds_its_sudog()) << "G2 was served: param must be its sudog";
  EXPECT_TRUE(three.sg.success) << "G2 was served: success";
  EXPECT_EQ(ch->qcount.load(), 1U) << "one out, one in";
  place.reset();
  chanrecv(ch.get(), &place, false);
  ASSERT_TRUE(place.has_value()) << "3 is in the buffer";
  EXPECT_EQ(place->value, 3) << "3 is in the buffer";
}

}  // namespace
}  // namespace goro::testing
