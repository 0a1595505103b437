// Channels under schedules that a seed decides. The first tests play single functions against each
// other; the others run whole programs.
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {
namespace {

constexpr std::uint64_t kSeeds = 2000;

}  // namespace

TEST(Simulated, TheLocalListNeedsNoLock) {
  GORO_STEP("somebody holds sched.sudoglock for ever; P0 has free sudogs, and room for more");
  sim::explore({.seeds = 2}, [] {
    FakeM fake;
    Sudog one;
    Sudog two;
    sched.sudoglock.lock();
    release_sudog(&one);
    release_sudog(&two);
    EXPECT_NE(acquire_sudog(), acquire_sudog()) << "there are two on P0's list";
    sched.sudoglock.unlock();
  });
}

TEST(Simulated, ALookTakesNoLock) {
  GORO_STEP(
      "somebody holds the locks of an empty channel and of a full one for ever; a receive and "
      "a send that must not wait say no");
  sim::explore({.seeds = 2}, [] {
    FakeM fake;
    const Named empty("empty", 2, 0);
    const Named full("full", 2, 2);
    const Named nobody("nobody", 0, 0);
    for (const Named* ch : {&empty, &full, &nobody}) (*ch)->lock.lock();
    EXPECT_FALSE(empty.try_receive().selected) << "it is empty and open";
    EXPECT_FALSE(full.try_send(3)) << "it is full and open";
    EXPECT_FALSE(nobody.try_send(3)) << "it has no buffer, and nobody waits";
    EXPECT_FALSE(nobody.try_receive().selected) << "it has no buffer, and nobody waits";
    for (const Named* ch : {&empty, &full, &nobody}) (*ch)->lock.unlock();
  });
}

// [drained_and_closed]
TEST(Simulated, DrainedAndClosedIsNotOpenAndEmpty) {
  GORO_STEP(
      "one value was in the buffer; \"closer\" closed the channel and then took the value; "
      "main received without waiting: there was a value, or it was closed, at every moment");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    const Named ch("ch", 1, 1);
    sim::Threads others;
    others.start("closer", [&] {
      const FakeThread thread(nullptr);
      closechan(ch.get());
      ch.try_receive();
    });
    EXPECT_TRUE(ch.try_receive().selected) << "chanrecv said \"open and empty\", which the channel "
                                              "never was: look whether it is empty "
                                              "first, and whether it is closed afterwards";
    others.join();
  });
}
// [/drained_and_closed]

TEST(Simulated, AClosedChannelLosesNoBufferedValue) {
  GORO_STEP(
      "\"sender\" sent 1 into the buffer and closed the channel; main received without waiting "
      "until something happened: it was alone to receive, so that must be the value");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    const Named ch("ch", 1);
    sim::Threads others;
    others.start("sender", [&] {
      const FakeThread thread(nullptr);
      ch.try_send(1);
      closechan(ch.get());
    });
    Got<int> got;
    for (int i = 0; i < 3 && !got.selected; ++i) got = ch.try_receive();
    EXPECT_TRUE(!got.selected || got.received)
        << "chanrecv said \"closed and empty\" while a value was in the buffer: it came after the "
           "first look. When it is closed, look once more whether it is empty";
    others.join();
    if (!got.selected) got = ch.try_receive();
    EXPECT_TRUE(got.received) << "the value was lost";
  });
}

TEST(Simulated, OperationsOnOneChannelTakeTurns) {
  GORO_STEP("main and \"other\" sent two values each into a buffer for 4, then received two each");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake;
    const Named ch("ch", 4);
    const auto work = [&](int first, int* sum) {
      EXPECT_TRUE(ch.try_send(int{first})) << "there was room";
      EXPECT_TRUE(ch.try_send(first + 1)) << "there was room";
      for (int i = 0; i < 2; ++i) *sum += ch.next();
    };
    int sums[2] = {};
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(nullptr);
      work(10, &sums[0]);
    });
    work(1, &sums[1]);
    others.join();
    EXPECT_EQ(sums[0] + sums[1], 1 + 2 + 10 + 11)
        << "a value was lost, or came twice: c->lock must be held from the look to the change";
    EXPECT_EQ(ch->qcount.load(), 0U) << "all were received";
  });
}

TEST(Simulated, ASelectIsServedOnce) {
  GORO_STEP(
      "one select waited in two channels; main sent to one of them, \"other\" to the other one");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    const Named a("a", 0, 0);
    const Named b("b", 0, 0);
    G* const gp = fake.g(GStatus::waiting);
    Receiver<int> at_a(gp, a);
    Receiver<int> at_b(gp, b);
    at_a.sg.is_select = at_b.sg.is_select = true;
    bool sent_b = false;
    sim::name(&gp->select_done, sizeof(gp->select_done), "G1.select_done");
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(fake.p(1));
      sent_b = b.try_send(2);
    });
    const bool sent_a = a.try_send(1);
    others.join();
    EXPECT_NE(sent_a, sent_b) << "one select takes one value: " << (sent_a ? "both" : "neither")
                              << " were sent. Change "
                              << "select_done by one compare-and-swap";
    EXPECT_EQ(gp->param, sent_a ? &at_a.sg : &at_b.sg) << "param must be the sudog that was served";
  });
}

TEST(Simulated, CloseAndSendDoNotBothWakeAReceiver) {
  GORO_STEP("G1 waited to receive; main sent 1 without waiting while \"closer\" closed");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    const Named ch("ch", 0);
    const Receiver<int> receiver(fake, ch);
    sim::Threads others;
    others.start("closer", [&] {
      const FakeThread thread(fake.p(1));
      closechan(ch.get());
    });
    bool sent = false;
    try {
      sent = ch.try_send(1);
    } catch (const Panic&) {
    }
    others.join();
    EXPECT_TRUE(receiver.woken()) << "somebody must wake it";
    EXPECT_EQ(receiver.sg.success, sent)
        << "served by the send or by close, but not by both: each takes it out under the lock";
  });
}

namespace {

void all_arrive(int capacity) {
  constexpr int kEach = 2;
  int sum = 0;
  goro::run(
      [&] {
        const Channel<int> ch(capacity);
        name_words(ch.ref().get(), "ch");
        const Channel<int> done(2);
        for (int s = 0; s < 2; ++s) {
          go([ch, s] {
            for (int i = 1; i <= kEach; ++i) ch.send(s * kEach + i);
          });
        }
        go([ch, done] {
          int own = 0;
          for (int i = 0; i < kEach; ++i) own += ch.receive().value_or(0);
          done.send(own);
        });
        for (int i = 0; i < kEach; ++i) sum += ch.receive().value_or(0);
        sum += done.receive().value_or(0);
      },
      {.procs = 2});
  EXPECT_EQ(sum, 1 + 2 + 3 + 4) << "a value was lost, or came twice";
}

}  // namespace

TEST(Simulated, EveryValueArrivesWithoutABuffer) {
  GORO_STEP("two Ps: two goroutines sent two values each, two received, without a buffer");
  sim::explore({.seeds = kSeeds}, [] { all_arrive(0); });
}

TEST(Simulated, EveryValueArrivesThroughABuffer) {
  GORO_STEP("two Ps: two goroutines sent two values each, two received, with room for one");
  sim::explore({.seeds = kSeeds}, [] { all_arrive(1); });
}

TEST(Simulated, CloseEndsEveryReceive) {
  GORO_STEP(
      "two Ps: two goroutines received until the end; goroutine 1 sent 1, 2 and 3, and closed");
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    goro::run(
        [&] {
          const Channel<int> ch(1);
          name_words(ch.ref().get(), "ch");
          const Channel<int> done(2);
          for (int r = 0; r < 2; ++r) {
            go([ch, done] {
              int own = 100;
              for (const int value : ch) own += value;
              done.send(own);
            });
          }
          for (int i = 1; i <= 3; ++i) ch.send(i);
          ch.close();
          for (int r = 0; r < 2; ++r) sum += done.receive().value_or(0);
        },
        {.procs = 2});
    EXPECT_EQ(sum, 206) << "a value was lost when the channel was closed, or came twice";
  });
}

TEST(Simulated, AThreadOutsideAndTheRuntimeMeet) {
  GORO_STEP("a thread that is not the runtime's sent 3 and received 4, while the runtime's slept");
  sim::explore({.seeds = kSeeds}, [] {
    int got = 0;
    int answered = 0;
    const Channel<int> in;
    const Channel<int> out;
    name_words(in.ref().get(), "in");
    name_words(out.ref().get(), "out");
    const ForeignThread guard;
    sim::Threads threads;
    threads.start("outside", [&] {
      in.send(3);
      answered = out.receive().value_or(0);
    });
    goro::run(
        [&] {
          got = in.receive().value_or(0);
          out.send(got + 1);
        },
        {.procs = 2});
    threads.join();
    EXPECT_EQ(got, 3) << "the thread's value must arrive";
    EXPECT_EQ(answered, 4) << "the answer must arrive";
  });
}

}  // namespace goro::testing
