// Threads that are not the runtime's: they have no M, no P and no sudogs.
#include <atomic>
#include <thread>

#include "support.h"

namespace goro::testing {
namespace {

TEST(Outside, AThreadTriesAndCloses) {
  const Chan<int> ch(1);
  GORO_STEP("on a thread that is not the runtime's (getm() is null): try, close, receive the rest");
  int full = 2;
  EXPECT_TRUE(ch.try_send(1)) << "there is room for 1";
  EXPECT_FALSE(ch.try_send(full)) << "the buffer is full";
  closechan(ch.get());
  EXPECT_EQ(panic_of([&] { ch.try_send(3); }), "send on closed channel") << "as everywhere";
  EXPECT_EQ(ch.next(), 1) << "buffered values outlive close";
  EXPECT_TRUE(ch.try_receive().selected) << "closed and empty: always ready";
}

// Returns when somebody waits in q.
void until_somebody_waits_in(const Waitq& q) {
  while (q.first.load() == nullptr) std::this_thread::yield();
}

TEST(Outside, AThreadWaitsAsleep) {
  FakeM fake;
  const Chan<int> ch;
  GORO_STEP("a thread receives from an empty channel; this M sends 42 when the thread is in recvq");
  int place = 0;
  ReceiveResult result;
  std::thread receiver([&] { result = chanrecv(ch.get(), &place, true); });
  until_somebody_waits_in(ch->recvq);
  EXPECT_TRUE(ch.try_send(42)) << "a thread waits for a value";
  receiver.join();
  EXPECT_TRUE(result.selected && result.received) << "wait_outside returned true: it was served";
  EXPECT_EQ(place, 42) << "the value must be in the thread's place";
  GORO_STEP("a thread sends 43; this M receives when the thread is in sendq");
  bool sent = false;
  int value = 43;
  std::thread sender([&] { sent = chansend(ch.get(), &value, true); });
  until_somebody_waits_in(ch->sendq);
  EXPECT_EQ(ch.next(), 43) << "the value must come from the thread's hand";
  sender.join();
  EXPECT_TRUE(sent) << "wait_outside returned true: it was served";
}

TEST(Outside, CloseWakesThreads) {
  FakeM fake;
  const Chan<int> ch;
  GORO_STEP("a thread waits to receive; this M closes the channel");
  ReceiveResult result{false, true};
  std::thread receiver([&] {
    int place = 0;
    result = chanrecv(ch.get(), &place, true);
  });
  until_somebody_waits_in(ch->recvq);
  closechan(ch.get());
  receiver.join();
  EXPECT_TRUE(result.selected) << "the receive has ended, by close";
  EXPECT_FALSE(result.received)
      << "wait_outside returned false: look again, and find the channel closed and empty";
  const Chan<int> other;
  GORO_STEP("a thread waits to send; this M closes the channel");
  std::string text;
  std::thread sender([&] {
    int value = 1;
    text = panic_of([&] { chansend(other.get(), &value, true); });
  });
  until_somebody_waits_in(other->sendq);
  closechan(other.get());
  sender.join();
  EXPECT_EQ(text, "send on closed channel")
      << "wait_outside returned false: look again, and find the channel closed";
}

TEST(Outside, AThreadTalksToGoroutines) {
  constexpr int kValues = 200;
  GORO_STEP("a thread sends ", kValues, " values to goroutine 1, and receives each back, doubled");
  const Channel<int> there;
  const Channel<int> back;
  const ForeignThread guard;
  int wrong = 0;
  std::thread outside([&] {
    for (int i = 0; i < kValues; ++i) {
      there.send(i);
      if (back.receive() != 2 * i) ++wrong;
    }
    there.close();
  });
  int received = 0;
  goro::run(
      [&] {
        for (const int value : there) {
          ++received;
          back.send(2 * value);
        }
      },
      {.procs = 2});
  outside.join();
  EXPECT_EQ(received, kValues) << "every value must arrive, once";
  EXPECT_EQ(wrong, 0) << "every answer must arrive, in order";
}

}  // namespace
}  // namespace goro::testing
