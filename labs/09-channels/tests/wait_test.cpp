// Step 5: goroutines that wait. Most of it at one P, where every order is known.
#include <array>

#include "goro/system_stack.h"
#include "support.h"

namespace goro::testing {
namespace {

TEST(Waiting, AReceiverIsServedByTheNextSender) {
  std::optional<int> got;
  goro::run(
      [&] {
        const Channel<int> ch;
        GORO_STEP("one P: goroutine 2 receives from an empty channel, then goroutine 1 sends 42");
        start([&got, ch] { got = ch.receive(); });
        EXPECT_FALSE(got.has_value()) << "nobody has sent: goroutine 2 must wait";
        EXPECT_TRUE(ch.try_send(42)) << "goroutine 2 must be in recvq";
        yield();
      },
      {.procs = 1});
  EXPECT_EQ(got, 42) << "goroutine 2 must go on with the value (success in its sudog)";
}

TEST(Waiting, ASenderIsServedByTheNextReceiver) {
  bool sent = false;
  std::optional<int> got;
  goro::run(
      [&] {
        const Channel<int> ch;
        GORO_STEP("one P: goroutine 2 sends 42, then goroutine 1 receives");
        start([&sent, ch] {
          ch.send(42);
          sent = true;
        });
        EXPECT_FALSE(sent) << "nobody has received: goroutine 2 must wait";
        ch.try_receive(got);
        yield();
      },
      {.procs = 1});
  EXPECT_EQ(got, 42) << "goroutine 2 must be in sendq, with its value";
  EXPECT_TRUE(sent) << "its value was taken: goroutine 2 must go on";
}

TEST(Waiting, SixSendersAreReceivedInOrder) {
  for (const int capacity : {0, 3}) {
    std::vector<int> received;
    goro::run(
        [&] {
          const Channel<int> ch(capacity);
          GORO_STEP("one P: six goroutines send 1 to 6, room for ", capacity,
                    "; then goroutine 1 receives six times");
          for (int i = 1; i <= 6; ++i) {
            start([ch, i] { ch.send(i); });
          }
          for (int i = 0; i < 6; ++i) received.push_back(ch.receive().value_or(-1));
        },
        {.procs = 1});
    EXPECT_EQ(received, (std::vector<int>{1, 2, 3, 4, 5, 6}))
        << "values must come out in the order in which they were sent";
  }
}

TEST(Waiting, EachReceiverGetsItsOwnValue) {
  std::vector<int> got(6);
  goro::run(
      [&] {
        const Channel<int> ch;
        GORO_STEP("one P: goroutines 1 to 6 receive, then 10, 20 … 60 are sent");
        for (int i = 0; i < 6; ++i) {
          start(
              [ch, out = &got[static_cast<std::size_t>(i)]] { *out = ch.receive().value_or(-1); });
        }
        for (int i = 1; i <= 6; ++i) ch.send(i * 10);
        yield();
        yield();
      },
      {.procs = 1});
  EXPECT_EQ(got, (std::vector<int>{10, 20, 30, 40, 50, 60})) << "first come, first served";
}

TEST(Waiting, EverySudogComesBack) {
  constexpr int kWaiters = 40;
  int free = 0;
  int woken = 0;
  goro::run(
      [&] {
        const Channel<int> ch;
        GORO_STEP("one P: ", kWaiters, " goroutines wait to receive, and each gets a value");
        for (int i = 0; i < kWaiters; ++i) {
          start([ch, out = &woken] {
            ch.receive();
            ++*out;
          });
        }
        for (int i = 0; i < kWaiters; ++i) ch.send(i);
        yield();
        yield();
        free = on_system_stack([] { return getm()->p->sudogcache.size + sched.sudogcache.size; });
      },
      {.procs = 1});
  EXPECT_EQ(woken, kWaiters) << "each waiter must be woken";
  EXPECT_GE(free, kWaiters)
      << "a sudog is lost with each wait: who is woken must give its sudog back (release_sudog)";
}

// Uses `depth` frames of the stack, then receives.
int receive_deep_down(int depth, const Channel<int>& ch) {
  std::array<volatile char, 200> room;
  room[0] = static_cast<char>(depth);
  const int below = depth == 0 ? ch.receive().value_or(-1) : receive_deep_down(depth - 1, ch);
  return below + room[0] - static_cast<char>(depth);
}

constexpr int kRounds = 8;
constexpr int kParks = 200;

// A goroutine whose stack was large once parks again and again, until the stack is made smaller:
// that happens when it parks.
// [stack_moves]
TEST(Waiting, TheStackMayMoveUntilItIsParked) {
  int wrong = 0;
  int received = 0;
  goro::run(
      [&] {
        const Channel<int> ch;
        GORO_STEP("a goroutine uses much stack, then receives ", kParks,
                  " times: its stack shrinks while it is about to wait; ", kRounds, " rounds");
        go([ch, bad = &wrong, count = &received] {
          for (int round = 0; round < kRounds; ++round) {
            if (receive_deep_down(100, ch) != 0) ++*bad;
            for (int i = 1; i <= kParks; ++i) {
              if (ch.receive() != i) ++*bad;
              ++*count;
            }
          }
        });
        for (int round = 0; round < kRounds; ++round) {
          for (int i = 0; i <= kParks; ++i) {
            ch.send(i);
            yield();  // it waits again
          }
        }
      },
      {.procs = 1});
  EXPECT_EQ(received, kRounds * kParks) << "each value must arrive";
  EXPECT_EQ(wrong, 0) << "values went to where the stack was before it moved: sg->elem must be set "
                         "when the goroutine is off its stack (chanparkcommit)";
}
// [/stack_moves]

// Ends this process, and not only a child of it, if there is no chansend yet.
void needs_chansend() {
  int value = 0;
  chansend(nullptr, &value, false);
}

TEST(Waiting, NilWaitsForEver) {
  needs_chansend();
  GORO_STEP("in a process of their own: one goroutine receives from the nil channel, one sends");
  const ChildEnd ending = in_child([] {
    goro::run(
        [] {
          go([] { Channel<int>(nullptr).receive(); });
          Channel<int>(nullptr).send(1);
        },
        {.procs = 1});
  });
  for (const char* text : {"all goroutines are asleep - deadlock!",
                           "goroutine 1 [chan send (nil chan)]:", "[chan receive (nil chan)]:"}) {
    EXPECT_TRUE(ending.says(text)) << "the dump must say \"" << text << "\"; it said:\n"
                                   << ending.err.substr(0, 600);
  }
}

TEST(Waiting, ADeadlockSaysWhatEachWaitsFor) {
  needs_chansend();
  GORO_STEP("in a process of their own: one goroutine receives, one sends, on two channels");
  const ChildEnd ending = in_child([] {
    goro::run(
        [] {
          const Channel<int> other;
          go([other] { other.send(1); });
          Channel<int>().receive();
        },
        {.procs = 1});
  });
  for (const char* text : {"all goroutines are asleep - deadlock!",
                           "goroutine 1 [chan receive]:", "goroutine 2 [chan send]:"}) {
    EXPECT_TRUE(ending.says(text)) << "the dump must say \"" << text << "\"; it said:\n"
                                   << ending.err.substr(0, 600);
  }
}

TEST(Waiting, TheSystemStackCannotWait) {
  FakeM fake;
  const Chan<int> ch;
  const char* const text = "a goroutine's operation on the system stack";
  int value = 1;
  GORO_STEP("on g0, where nothing may park: send and receive where they would have to wait");
  EXPECT_EQ(panic_of([&] { chansend(ch.get(), &value, true); }), text)
      << "g0 runs the scheduler: it cannot park, and must say so";
  expect_let_go(ch.get(), "the Panic");
  EXPECT_EQ(panic_of([&] { chanrecv(ch.get(), &value, true); }), text)
      << "g0 runs the scheduler: it cannot park, and must say so";
  expect_let_go(ch.get(), "the Panic");
  EXPECT_TRUE(ch->sendq.empty() && ch->recvq.empty()) << "nobody waits";
}

TEST(Waiting, WhoIsToldToLookAgainDoes) {
  std::vector<int> received;
  std::string sender = "the sender is still waiting";
  goro::run(
      [&] {
        const Channel<Fragile> ch(1);
        GORO_STEP("one P: 1 is in the buffer for 1, goroutine 2 waits to send 2");
        ch.send(Fragile(1));
        start([ch, out = &sender] { *out = panic_of([ch] { ch.send(Fragile(2)); }); });
        GORO_STEP("1 is received, and the move of 2 into the buffer throws");
        failure_of(2, [&] { received.push_back(ch.receive()->value); });
        yield();
        if (ch.size() != 0) received.push_back(ch.receive()->value);
      },
      {.procs = 1});
  EXPECT_EQ(sender, "no panic")
      << "param was null: nothing had happened to the sender, so it must begin again, and can send";
  EXPECT_EQ(received, (std::vector<int>{1, 2})) << "both values must arrive";
}

}  // namespace
}  // namespace goro::testing
