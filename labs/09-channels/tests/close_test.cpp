// Step 6: close. The first tests play it on one M; the last two with goroutines that run.
#include <deque>

#include "contracts/constants.h"
#include "support.h"

namespace goro::testing {
namespace {

// The goroutines that P0 would run, in order.
std::vector<std::uint64_t> to_be_run(const P* pp) {
  std::vector<std::uint64_t> ids;
  if (const G* gp = pp->runnext.load(); gp != nullptr) ids.push_back(gp->goid);
  for (std::uint32_t i = pp->runqhead.load(); i != pp->runqtail.load(); ++i) {
    ids.push_back(pp->runq[i % kRunqSize].load()->goid);
  }
  return ids;
}

TEST(Close, WhatCannotBeClosedThrows) {
  FakeM fake;
  GORO_STEP("close the nil channel");
  EXPECT_EQ(panic_of([] { closechan(nullptr); }), "close of nil channel") << "in Go's words";
  const Chan<int> ch;
  GORO_STEP("close a channel twice");
  EXPECT_EQ(panic_of([&] { closechan(ch.get()); }), "no panic") << "the first time is all right";
  EXPECT_TRUE(ch->closed.load()) << "the channel must be closed now";
  expect_let_go(ch.get(), "close");
  EXPECT_EQ(panic_of([&] { closechan(ch.get()); }), "close of closed channel") << "in Go's words";
  expect_let_go(ch.get(), "the Panic");
}

TEST(Close, WakesEverybodyWithoutSuccess) {
  FakeM fake;
  const Chan<int> ch;
  std::deque<Receiver<int>> receivers;
  for (int i = 0; i < 6; ++i) receivers.emplace_back(fake, ch).place = 77;
  GORO_STEP("G1 to G6 wait to receive; close");
  closechan(ch.get());
  for (const Receiver<int>& receiver : receivers) {
    ASSERT_TRUE(receiver.woken()) << "G" << receiver.g->goid << " waits for ever";
    EXPECT_TRUE(receiver.finds_its_sudog()) << "param must be its sudog: it has been served";
    EXPECT_FALSE(receiver.sg.success) << "there was no value: success false";
    EXPECT_EQ(receiver.place, 77) << "there was no value: the place is untouched";
    EXPECT_EQ(receiver.sg.next, nullptr)
        << "the sudog goes back to its goroutine clean: no link may stay";
  }
  EXPECT_TRUE(ch->recvq.empty()) << "nobody waits at a closed channel";
  EXPECT_EQ(to_be_run(fake.p(0)), (std::vector<std::uint64_t>{1, 6, 5, 4, 3, 2}))
      << "the last waiter is woken first, so the first one is woken last, and runs next";
  expect_let_go(ch.get(), "close");
}

TEST(Close, WakesSendersToo) {
  FakeM fake;
  const Chan<std::unique_ptr<int>> ch(1);
  ch.try_send(std::make_unique<int>(1));
  const Sender<std::unique_ptr<int>> one(fake, ch, std::make_unique<int>(2));
  const Sender<std::unique_ptr<int>> two(fake, ch, std::make_unique<int>(3));
  GORO_STEP("the buffer is full, and G1 and G2 wait to send; close");
  closechan(ch.get());
  for (const auto* sender : {&one, &two}) {
    ASSERT_TRUE(sender->woken()) << "G" << sender->g->goid << " waits for ever";
    EXPECT_TRUE(sender->finds_its_sudog()) << "param must be its sudog";
    EXPECT_FALSE(sender->sg.success) << "its value was not taken: success false";
    EXPECT_NE(sender->value, nullptr) << "its value was not taken: it stays where it is";
  }
  EXPECT_TRUE(ch->sendq.empty()) << "nobody waits at a closed channel";
}

TEST(Close, KeepsWhatIsInTheBuffer) {
  FakeM fake;
  const Chan<int> ch(3);
  ch.try_send(1);
  ch.try_send(2);
  GORO_STEP("two values are in the buffer; close, receive three times");
  closechan(ch.get());
  EXPECT_EQ(ch->qcount.load(), 2U) << "buffered values outlive close";
  EXPECT_EQ(ch.next(), 1) << "buffered values outlive close";
  EXPECT_EQ(ch.next(), 2) << "buffered values outlive close";
  const Got<int> end = ch.try_receive();
  EXPECT_TRUE(end.selected && !end.received) << "then comes the end";
}

TEST(Close, ASelectIsNotWokenTwice) {
  FakeM fake;
  const Chan<int> ch;
  Receiver<int> served(fake, ch);
  Receiver<int> free(fake, ch);
  served.sg.is_select = free.sg.is_select = true;
  served.g->select_done.store(true);
  GORO_STEP("G1's select is served by another channel already, G2's is not; close");
  closechan(ch.get());
  EXPECT_FALSE(served.woken()) << "who serves the select wakes it; use dequeue here too";
  EXPECT_TRUE(free.woken()) << "nobody else has woken G2";
  EXPECT_TRUE(free.g->select_done.load()) << "G2 is served now: the others must see that";
}

TEST(Close, ReceiversRunInGosOrder) {
  GORO_STEP("one P: goroutines 1 to 6 wait to receive, one after the other; close");
  const Channel<int> ch;
  std::vector<bool> values;
  const std::vector<int> order = order_of_waking(
      6, [&](int) { values.push_back(ch.receive().has_value()); }, [&] { ch.close(); });
  EXPECT_EQ(order, (std::vector<int>{1, 6, 5, 4, 3, 2}))
      << "all are taken out in order, and woken from the last to the first. Whoever is woken last "
         "goes to runnext, and runs first; the others run in the order of waking";
  EXPECT_EQ(values, std::vector<bool>(6, false)) << "a receive that close ended has no value";
}

TEST(Close, SendersRunInGosOrderAndThrow) {
  GORO_STEP("one P: goroutines 1 to 6 wait to send, one after the other; close");
  const Channel<int> ch;
  std::vector<std::string> texts;
  const std::vector<int> order = order_of_waking(
      6, [&](int i) { texts.push_back(panic_of([&] { ch.send(i); })); }, [&] { ch.close(); });
  EXPECT_EQ(order, (std::vector<int>{1, 6, 5, 4, 3, 2})) << "the same order as for receivers";
  EXPECT_EQ(texts, std::vector<std::string>(6, "send on closed channel"))
      << "a sender that is woken without success must throw: its value was not sent";
}

}  // namespace
}  // namespace goro::testing
