// Step 4: a goroutine that was woken leaves all queues, and says what happened. One P, where every
// order is known.
#include <array>

#include "goro/system_stack.h"
#include "support.h"

namespace goro::testing {
namespace {

TEST(ThirdPass, AValueGoesToItsCase) {
  for (int which = 0; which < 3; ++which) {
    const Chan<int> channels[3];
    int places[3] = {-1, -1, -1};
    Selecting selecting;
    for (int i = 0; i < 3; ++i) selecting.cases.receive(channels[i], &places[i]);
    at_one_p([&] {
      GORO_STEP("one P: goroutine 2 receives from 0, 1 or 2; then 42 is sent to ", which);
      start([s = &selecting] { s->run(); });
      EXPECT_TRUE(channels[which].try_send(42)) << "goroutine 2 waits there";
      let_others_run();
    });
    ASSERT_TRUE(selecting.ended) << "goroutine 2 was served: it must go on";
    EXPECT_EQ(selecting.result.index, which)
        << "param is the sudog that was served; the result is the index of its case";
    EXPECT_TRUE(selecting.result.received) << "there was a value (success in the sudog)";
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(places[i], i == which ? 42 : -1)
          << "the value must be in case " << which << "'s place, and nowhere else";
    }
  }
}

TEST(ThirdPass, AReceiverTakesTheValueOfItsCase) {
  for (int which = 0; which < 3; ++which) {
    const Chan<int> channels[3];
    int values[3] = {10, 11, 12};
    Selecting selecting;
    for (int i = 0; i < 3; ++i) selecting.cases.send(channels[i], &values[i]);
    int got = -1;
    at_one_p([&] {
      GORO_STEP("one P: goroutine 2 sends 10 to 0, 11 to 1 or 12 to 2; then ", which,
                " is received from");
      start([s = &selecting] { s->run(); });
      got = channels[which].next();
      let_others_run();
    });
    ASSERT_TRUE(selecting.ended) << "its value was taken: goroutine 2 must go on";
    EXPECT_EQ(selecting.panic, "no panic") << "its value was taken: nothing is closed";
    EXPECT_EQ(got, 10 + which) << "each sudog must show its own case's value";
    EXPECT_EQ(selecting.result.index, which) << "the result is the index of the case that ran";
    EXPECT_FALSE(selecting.result.received) << "received is for receives only";
    if (HasFailure()) return;
  }
}

TEST(ThirdPass, NoSudogStaysBehind) {
  const Chan<int> a;
  const Chan<int> b;
  const Chan<int> c;
  int places[4] = {};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]).send(b, &places[2]);
  selecting.cases.send(c, &places[3]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 waits at a, b and c; a value is sent to a, and it goes on");
    start([s = &selecting] { s->run(); });
    a.try_send(1);
    let_others_run();
    for (const Chan<int>* ch : {&a, &b, &c}) {
      EXPECT_TRUE((*ch)->recvq.empty() && (*ch)->sendq.empty())
          << "a sudog of the select that has ended is still in a queue: dequeue_sudog all but the "
             "one that was served";
      expect_let_go(ch->get(), "a select that waited");
    }
  });
  EXPECT_TRUE(selecting.ended) << "goroutine 2 was served: it must go on";
}

TEST(ThirdPass, OthersKeepTheirPlaces) {
  const Chan<int> a;
  const Chan<int> b;
  int places[2] = {};
  int got[2] = {};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]);
  at_one_p([&] {
    GORO_STEP("one P: at a wait goroutine 2, then a select of goroutine 3, then goroutine 4");
    const auto receives = [&](int* out) { start([c = a.get(), out] { chanrecv(c, out, true); }); };
    receives(&got[0]);
    start([s = &selecting] { s->run(); });
    receives(&got[1]);
    GORO_STEP("the select is served at b, and leaves a; then 1 and 2 are sent to a");
    EXPECT_TRUE(b.try_send(9)) << "the select waits there";
    let_others_run();
    EXPECT_EQ(waiters_in(a->recvq), 2) << "goroutines 2 and 4 still wait at a, and nobody else";
    EXPECT_TRUE(a.try_send(1)) << "goroutine 2 waits at a";
    EXPECT_TRUE(a.try_send(2)) << "goroutine 4 waits at a";
    let_others_run();
  });
  EXPECT_EQ(selecting.result.index, 1) << "the select was served at b";
  EXPECT_EQ(got[0], 1) << "goroutine 2 came first";
  EXPECT_EQ(got[1], 2) << "goroutine 4 came after it, and must not be lost with the select";
}

TEST(ThirdPass, EverySudogComesBack) {
  constexpr int kSelects = 40;
  int free = 0;
  int ended = 0;
  const Chan<int> channels[3];
  at_one_p([&] {
    GORO_STEP("one P: ", kSelects, " goroutines wait at three channels each, and are served");
    for (int i = 0; i < kSelects; ++i) {
      start([&channels, out = &ended] {
        int places[3] = {};
        Cases cases;
        for (int c = 0; c < 3; ++c) cases.receive(channels[c], &places[c]);
        cases.select(true);
        ++*out;
      });
    }
    for (int i = 0; i < kSelects; ++i) channels[i % 3].try_send(i);
    let_others_run();
    free = on_system_stack([] { return getm()->p->sudogcache.size + sched.sudogcache.size; });
  });
  EXPECT_EQ(ended, kSelects) << "each select must be served once";
  EXPECT_GE(free, 3 * kSelects) << "sudogs are lost with each select: give all of them back "
                                   "(release_sudog), also the one that was served";
}

TEST(ThirdPass, SudogsComeBackClean) {
  int dirty = 0;
  int free = 0;
  Selecting selecting;
  const Chan<int> a;
  const Chan<int> b;
  int places[2] = {};
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 waits at a and b, and is served");
    start([s = &selecting] { s->run(); });
    b.try_send(1);
    let_others_run();
    on_system_stack([&] {
      for (const Sudog* s = getm()->p->sudogcache.head; s != nullptr; s = s->next) {
        ++free;
        if (s->success || s->is_select || s->elem != nullptr || s->c != nullptr) ++dirty;
      }
    });
  });
  EXPECT_TRUE(selecting.ended) << "goroutine 2 was served: it must go on";
  EXPECT_GE(free, 2) << "both sudogs must be given back";
  EXPECT_EQ(dirty, 0) << "set is_select, success, elem, c and waitlink back before release_sudog: "
                         "the next one to wait gets this sudog as it is";
}

TEST(ThirdPass, TheSameGoroutineCanSelectAgain) {
  const Chan<int> a;
  const Chan<int> b;
  int places[2] = {};
  int selects = 0;
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 selects three times; each time a value is sent");
    start([&, n = &selects] {
      Cases cases;
      cases.receive(a, &places[0]).receive(b, &places[1]);
      for (int i = 0; i < 3; ++i) {
        cases.select(true);
        ++*n;
      }
    });
    for (int i = 1; i <= 3; ++i) {
      EXPECT_TRUE((i % 2 == 0 ? a : b).try_send(i))
          << "goroutine 2 waits in select " << i
          << ", but it is passed over: select_done must be false again after a select";
      let_others_run();
      EXPECT_EQ(selects, i) << "select " << i << " was served";
    }
  });
}

TEST(ThirdPass, CloseEndsAReceive) {
  const Chan<int> a;
  const Chan<int> b;
  int places[2] = {77, 77};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 receives from a or b; b is closed");
    start([s = &selecting] { s->run(); });
    closechan(b.get());
    let_others_run();
    EXPECT_TRUE(a->recvq.empty()) << "the select has ended: it must leave a's queue";
  });
  ASSERT_TRUE(selecting.ended) << "b was closed: goroutine 2 must go on";
  EXPECT_EQ(selecting.result.index, 1) << "the case of the channel that was closed";
  EXPECT_FALSE(selecting.result.received) << "close brings no value (success is false)";
  EXPECT_EQ(places[1], 77) << "close brings no value: the place is untouched";
}

TEST(ThirdPass, CloseMakesASendPanic) {
  const Chan<int> a;
  const Chan<int> b;
  int values[2] = {1, 2};
  Selecting selecting;
  selecting.cases.receive(a, &values[0]).send(b, &values[1]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 receives from a or sends to b; b is closed");
    start([s = &selecting] { s->run(); });
    closechan(b.get());
    let_others_run();
    EXPECT_TRUE(a->recvq.empty()) << "the select has ended: it must leave a's queue first";
    expect_let_go(a.get(), "the Panic");
    expect_let_go(b.get(), "the Panic");
  });
  ASSERT_TRUE(selecting.ended) << "b was closed: goroutine 2 must go on";
  EXPECT_EQ(selecting.panic, "send on closed channel") << "its value was not sent: it must throw";
}

// [what_happened]
TEST(ThirdPass, WhatHappenedIsInItsSudog) {
  const Chan<int> a;
  const Chan<int> b;
  int places[2] = {-1, -1};
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 waits; before it runs, 5 is sent to a, and both are closed");
    start([s = &selecting] { s->run(); });
    EXPECT_TRUE(a.try_send(5)) << "goroutine 2 waits at a";
    EXPECT_FALSE(b.try_send(6)) << "goroutine 2 is served already";
    closechan(a.get());
    closechan(b.get());
    let_others_run();
  });
  ASSERT_TRUE(selecting.ended) << "goroutine 2 was served: it must go on";
  EXPECT_EQ(selecting.result.index, 0) << "the value came first: what was done to a goroutine is "
                                          "in param and its sudog, not in the channels";
  EXPECT_TRUE(selecting.result.received) << "it was served with a value";
  EXPECT_EQ(places[0], 5) << "the value is in its place already";
}
// [/what_happened]

TEST(ThirdPass, TheSameChannelTwice) {
  for (int round = 1; round <= 20; ++round) {
    const Chan<int> ch;
    int places[2] = {-1, -1};
    Selecting selecting;
    selecting.cases.receive(ch, &places[0]).receive(ch, &places[1]);
    at_one_p([&] {
      GORO_STEP("one P, round ", round, ": both cases of goroutine 2 receive from ch; 5 is sent");
      start([s = &selecting] { s->run(); });
      EXPECT_TRUE(ch.try_send(5)) << "goroutine 2 waits";
      EXPECT_FALSE(ch.try_send(6)) << "one select takes one value";
      let_others_run();
      EXPECT_TRUE(ch->recvq.empty()) << "the select has ended: both sudogs must leave the queue";
    });
    ASSERT_TRUE(selecting.ended) << "goroutine 2 was served: it must go on";
    const int index = selecting.result.index;
    ASSERT_TRUE(index == 0 || index == 1) << "one of the two cases ran";
    EXPECT_EQ(places[index], 5)
        << "the result says case " << index
        << ", but the value is in the other one's place: the sudogs tell the cases apart, the "
           "channel does not";
    EXPECT_EQ(places[1 - index], -1) << "one case runs";
    if (HasFailure()) return;
  }
}

TEST(ThirdPass, TwoSelectsMeet) {
  const Chan<int> ch;
  const Chan<int> never;
  int values[2] = {10, 20};
  int places[2] = {-1, -1};
  Selecting both[2];
  for (int i = 0; i < 2; ++i) {
    both[i].cases.receive(never, &places[i]).send(ch, &values[i]).receive(ch, &places[i]);
  }
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 sends 10 to ch or receives from it");
    start([s = &both[0]] { s->run(); });
    EXPECT_FALSE(both[0].ended) << "a goroutine is no partner for itself: it must wait";
    GORO_STEP("goroutine 3 sends 20 to ch or receives from it");
    start([s = &both[1]] { s->run(); });
    let_others_run();
    EXPECT_TRUE(ch->recvq.empty() && ch->sendq.empty()) << "both selects must have left ch";
  });
  ASSERT_TRUE(both[0].ended && both[1].ended) << "they are partners for each other";
  const int sender = both[0].result.index == 1 ? 0 : 1;
  EXPECT_EQ(both[sender].result.index, 1) << "one of the two must have sent";
  EXPECT_EQ(both[1 - sender].result.index, 2) << "the other one must have received";
  EXPECT_EQ(places[1 - sender], values[sender]) << "what one sent the other received";
  EXPECT_EQ(places[sender], -1) << "who sends receives nothing";
}

TEST(ThirdPass, WhoIsToldToLookAgainDoes) {
  const Chan<Fragile> a;
  const Chan<Fragile> b;
  std::optional<Fragile> places[2];
  Selecting selecting;
  selecting.cases.receive(a, &places[0]).receive(b, &places[1]);
  at_one_p([&] {
    GORO_STEP("one P: goroutine 2 waits at a and b; a value is sent to a, and its move throws");
    start([s = &selecting] { s->run(); });
    Fragile value(7);
    EXPECT_EQ(failure_of(1, [&] { a.try_send(value); }), "a move failed")
        << "the sender gets the exception";
    let_others_run();
    EXPECT_FALSE(selecting.ended)
        << "param was null: nothing had happened to goroutine 2, so it must begin again and wait";
    GORO_STEP("the value is sent to b");
    EXPECT_TRUE(b.try_send(value)) << "goroutine 2 must wait again, in both queues";
    let_others_run();
    EXPECT_TRUE(a->recvq.empty() && b->recvq.empty()) << "it must have left both queues";
  });
  ASSERT_TRUE(selecting.ended) << "goroutine 2 was served: it must go on";
  EXPECT_EQ(selecting.result.index, 1) << "it was served at b";
  ASSERT_TRUE(places[1].has_value()) << "the value must have arrived";
  EXPECT_EQ(places[1]->value, 7) << "the value must have arrived";
}

// Uses `depth` frames of the stack, then selects.
int select_deep_down(int depth, const Channel<int>& a, const Channel<int>& b) {
  std::array<volatile char, 200> room;
  room[0] = static_cast<char>(depth);
  int below = 0;
  if (depth == 0) {
    select(on_receive(a, [&](std::optional<int> v) { below = v.value_or(-1); }),
           on_receive(b, [&](std::optional<int> v) { below = -v.value_or(1); }));
  } else {
    below = select_deep_down(depth - 1, a, b);
  }
  return below + room[0] - static_cast<char>(depth);
}

constexpr int kMoveRounds = 8;
constexpr int kMoveSelects = 200;

// A goroutine whose stack was large once selects again and again, until the stack is made smaller:
// that happens when it parks.
TEST(ThirdPass, TheStackMayMoveUntilItIsParked) {
  int wrong = 0;
  int selects = 0;
  at_one_p([&] {
    const Channel<int> a;
    const Channel<int> b;
    GORO_STEP("a goroutine uses much stack, then selects ", kMoveSelects,
              " times: its stack shrinks while it is about to wait; ", kMoveRounds, " rounds");
    go([a, b, bad = &wrong, count = &selects] {
      for (int round = 0; round < kMoveRounds; ++round) {
        if (select_deep_down(100, a, b) != 0) ++*bad;
        for (int i = 1; i <= kMoveSelects; ++i) {
          if (select_deep_down(0, a, b) != (i % 2 == 0 ? i : -i)) ++*bad;
          ++*count;
        }
      }
    });
    for (int round = 0; round < kMoveRounds; ++round) {
      for (int i = 0; i <= kMoveSelects; ++i) {
        (i % 2 == 0 ? a : b).send(i);
        yield();  // it waits again
      }
    }
    let_others_run();
  });
  EXPECT_EQ(selects, kMoveRounds * kMoveSelects) << "each value must arrive";
  EXPECT_EQ(wrong, 0) << "values went to where the stack was before it moved: the elements' "
                         "addresses must go into the sudogs when the goroutine is off its stack "
                         "(in the unlock function)";
}

}  // namespace
}  // namespace goro::testing
