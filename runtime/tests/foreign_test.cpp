// Threads that are not the runtime's, at channels.
#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"

namespace {

using goro::Channel;

// At one P: a goroutine waits at ch when this returns, and will send what it gets to `got`.
void wait_with(const Channel<int>& ch, const Channel<int>& got) {
  const Channel<int> runs(1);
  goro::go([ch, got, runs] {
    runs.send(0);
    got.send(*ch.receive());
  });
  while (runs.size() == 0) goro::yield();
}

TEST(ForeignThread, SendsAndReceives) {
  for (int round = 0; round < 20; ++round) {
    goro::run(
        [] {
          const Channel<int> in;
          const Channel<std::string> out(1);
          const goro::ForeignThread guard;  // before anybody can fall asleep
          std::thread thread([in, out] {
            int sum = 0;
            while (const auto v = in.receive()) sum += *v;
            out.send(std::to_string(sum));
            out.close();
          });
          for (int i = 1; i <= 100; ++i) in.send(i);
          in.close();
          EXPECT_EQ(out.receive(), "5050");
          EXPECT_EQ(out.receive(), std::nullopt);
          goro::system_call([&] { thread.join(); });
        },
        {.procs = 2});
  }
}

TEST(ForeignThread, ManyAtOneChannel) {
  constexpr int kThreads = 4;
  constexpr int kEach = 300;
  for (const int capacity : {0, 5}) {
    std::vector<int> counts(std::size_t{kThreads} * kEach);
    goro::run(
        [&] {
          const Channel<int> ch(capacity);
          std::vector<std::thread> threads;
          const goro::ForeignThread guard;  // for all of them
          for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([ch, t] {
              for (int i = 0; i < kEach; ++i) ch.send(t * kEach + i);
            });
          }
          for (int i = 0; i < kThreads * kEach; ++i) {
            ++counts[static_cast<std::size_t>(*ch.receive())];
          }
          goro::system_call([&] {
            for (std::thread& thread : threads) thread.join();
          });
        },
        {.procs = 2});
    EXPECT_EQ(std::count(counts.begin(), counts.end(), 1), kThreads * kEach);
  }
}

TEST(ForeignThread, TriesAndCloses) {
  goro::run(
      [] {
        const Channel<int> ch(1);
        const Channel<int> closed;
        const goro::ForeignThread guard;
        std::thread thread([ch, closed] {
          int value = 1;
          EXPECT_TRUE(ch.try_send(value));
          EXPECT_FALSE(ch.try_send(value));
          std::optional<int> out;
          EXPECT_TRUE(ch.try_receive(out));
          EXPECT_FALSE(ch.try_receive(out));
          closed.close();
          EXPECT_THROW(closed.send(1), goro::Panic);
        });
        EXPECT_EQ(closed.receive(), std::nullopt);
        goro::system_call([&] { thread.join(); });
      },
      {.procs = 1});
}

TEST(ForeignThread, CountsAgainstDeadlockOnlyWithAGuard) {
  const auto end = goro::testing::in_child([] {
    goro::run(
        [] {
          const Channel<int> ch;
          auto guard = std::make_unique<goro::ForeignThread>();
          std::thread([ch, guard = std::move(guard)]() mutable {
            for (int i = 0; i < 1000; ++i) std::this_thread::yield();
            guard.reset();  // by now everybody sleeps, most likely
          }).detach();
          ch.receive();
        },
        {.procs = 2});
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_NE(end.err.find("all goroutines are asleep - deadlock!"), std::string::npos) << end.err;
}

TEST(ForeignThread, ASystemCallMayTry) {
  goro::run(
      [] {
        const Channel<int> ch;
        const Channel<int> got(1);
        wait_with(ch, got);
        EXPECT_TRUE(goro::system_call([&] { return ch.try_send(7); }));
        EXPECT_EQ(got.receive(), 7);
        wait_with(ch, got);
        EXPECT_TRUE(goro::on_system_stack([&] { return ch.try_send(8); }));
        EXPECT_EQ(got.receive(), 8);
        EXPECT_THROW(goro::on_system_stack([&] { ch.receive(); }), goro::Panic);
        EXPECT_FALSE(ch.try_send(9)) << "the channel is locked still, or somebody waits";
      },
      {.procs = 1});
}

}  // namespace
