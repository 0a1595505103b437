// Step 3: a goroutine that waits in several queues at once. One P: it is parked when goroutine 1
// looks, and is never woken. The channels outlive the run, which takes it out of their queues.
#include "support.h"

namespace goro::testing {
namespace {

TEST(SecondPass, WaitsInEveryQueue) {
  const Chan<int> a;
  const Chan<int> b;
  const Chan<int> c(3);
  int places[3] = {};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).send(b, &places[1]).receive(c, &places[2]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 receives from a, sends to b or receives from c; it must wait");
    start([s = &selecting] { s->run(); });
    EXPECT_FALSE(selecting.ended) << "no case is ready: it must wait";
    const Waitq* const queues[3] = {&a->recvq, &b->sendq, &c->recvq};
    const char* const names[3] = {"a's recvq", "b's sendq", "c's recvq"};
    Hchan* const channels[3] = {a.get(), b.get(), c.get()};
    const Sudog* first = a->recvq.first.load();
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(waiters_in(*queues[i]), 1) << "one sudog must be in " << names[i];
      const Sudog* sg = queues[i]->first.load();
      EXPECT_TRUE(sg->is_select) << "the sudog in " << names[i] << " is part of a select";
      EXPECT_EQ(sg->c, channels[i]) << "the sudog in " << names[i] << " must name its channel";
      ASSERT_NE(sg->g, nullptr) << "the sudog in " << names[i] << " must name its goroutine";
      EXPECT_EQ(sg->g, first->g) << "it is one goroutine that waits in all queues";
    }
    EXPECT_TRUE(a->sendq.empty() && b->recvq.empty() && c->sendq.empty())
        << "a receive waits in recvq, a send in sendq";
    EXPECT_EQ(status_of(first->g), static_cast<std::uint32_t>(GStatus::waiting))
        << "it must be parked";
    EXPECT_FALSE(first->g->select_done.load()) << "nobody has served it yet";
  });
}

TEST(SecondPass, ShowsWhereTheElementsAre) {
  const Chan<int> a;
  const Chan<int> b;
  int places[4] = {};
  Selecting selecting;
  selecting.cases.nil_receive(&places[0]).receive(a, &places[1]);
  selecting.cases.nil_send(&places[2]).send(b, &places[3]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 waits; of its cases 0 to 3, 1 receives from a and 3 sends to b");
    start([s = &selecting] { s->run(); });
    ASSERT_EQ(waiters_in(a->recvq), 1) << "one sudog must be in a's recvq";
    ASSERT_EQ(waiters_in(b->sendq), 1) << "one sudog must be in b's sendq";
    EXPECT_EQ(a->recvq.first.load()->elem, &places[1])
        << "the sudog at a must show case 1's place: the sender writes there";
    EXPECT_EQ(b->sendq.first.load()->elem, &places[3])
        << "the sudog at b must show case 3's value: the receiver takes it from there";
  });
}

TEST(SecondPass, EverythingIsUnlockedWhileItWaits) {
  const Chan<int> a;
  const Chan<int> b;
  const Chan<int> c;
  int places[5] = {};
  Selecting selecting;
  selecting.cases.receive(c, &places[0]).receive(a, &places[1]).receive(b, &places[2]);
  selecting.cases.send(b, &places[3]).receive(c, &places[4]);
  at_one_p(
      [&] {
        GORO_STEP("one P: goroutine 2 waits at a, twice at b and twice at c");
        start([s = &selecting] { s->run(); });
        for (const Chan<int>* ch : {&a, &b, &c}) {
          const bool lock_is_free = (*ch)->lock.try_lock();
          EXPECT_TRUE(lock_is_free) << "the unlock function must release each channel's lock";
          if (lock_is_free) (*ch)->lock.unlock();
        }
        EXPECT_EQ(getm()->locks, 0)
            << "acquirem counted M::locks up, and releasem will not run: the unlock function must "
               "count it down";
      });
}

TEST(SecondPass, WaitsTwiceInOneQueue) {
  const Chan<int> a;
  const Chan<int> b;
  int places[3] = {};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]).receive(a, &places[2]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 receives from a, from b, or from a");
    start([s = &selecting] { s->run(); });
    ASSERT_EQ(waiters_in(a->recvq), 2) << "each case has a sudog of its own, also of one channel";
    const Sudog* first = a->recvq.first.load();
    const Sudog* second = first->next;
    EXPECT_EQ(first->g, second->g) << "both are of the same goroutine";
    EXPECT_TRUE(first->is_select && second->is_select) << "both are part of a select";
    EXPECT_TRUE((first->elem == &places[0] && second->elem == &places[2]) ||
                (first->elem == &places[2] && second->elem == &places[0]))
        << "one shows case 0's place, the other one case 2's";
  });
}

TEST(SecondPass, MayWaitInBothQueuesOfOneChannel) {
  const Chan<int> a;
  const Chan<int> b;
  int places[3] = {};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).send(a, &places[1]).receive(b, &places[2]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 receives from a or sends to a, whichever is possible first");
    start([s = &selecting] { s->run(); });
    EXPECT_FALSE(selecting.ended) << "a goroutine is no partner for itself: look at all cases "
                                     "first, and enqueue afterwards";
    EXPECT_EQ(waiters_in(a->recvq), 1) << "its receive must wait in recvq";
    EXPECT_EQ(waiters_in(a->sendq), 1) << "its send must wait in sendq";
  });
}

TEST(SecondPass, ADeadlockSaysThatItSelects) {
  needs_selectgo();
  GORO_STEP(
      "in a process of their own: goroutine 2 selects from two channels, goroutine 1 from two nil "
      "ones");
  const ChildEnd ending = in_child([] {
    goro::run(
        [] {
          const Channel<int> a;
          const Channel<int> b;
          const Channel<int> nil(nullptr);
          go([a, b] { select(on_receive(a, [](std::optional<int>) {}), on_send(b, 1, [] {})); });
          select(on_receive(nil, [](std::optional<int>) {}), on_send(nil, 1, [] {}));
        },
        {.procs = 1});
  });
  for (const char* text : {"all goroutines are asleep - deadlock!",
                           "goroutine 1 [select]:", "goroutine 2 [select]:"}) {
    EXPECT_TRUE(ending.says(text)) << "the dump must say \"" << text << "\"; it said:\n"
                                   << ending.err.substr(0, 600);
  }
}

}  // namespace
}  // namespace goro::testing
