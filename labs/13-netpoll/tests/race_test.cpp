// Many threads, watched by ThreadSanitizer.
#include <chrono>

#include "network.h"

namespace goro::testing {
namespace {

using namespace std::chrono_literals;

TEST(Race, ManyConnections) {
  constexpr int kClients = 24;
  GORO_STEP("four Ps: ", kClients, " connections at once, each of which asks 20 times");
  int right = 0;
  run(
      [&] {
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        serve_echo(listener);
        right = ask_all(listener, kClients, 20);
      },
      {.procs = 4});
  EXPECT_EQ(right, kClients);
}

TEST(Race, DeadlinesAndCloseMeetEdges) {
  constexpr int kReaders = 8;
  constexpr int kTurns = 40;
  GORO_STEP(
      "four Ps: readers whose deadlines pass, are moved, and whose connections are closed, "
      "while bytes arrive");
  std::atomic<int> wrong{0};
  std::atomic<int> ended{0};
  run(
      [&] {
        const WaitGroup group;
        for (int i = 0; i < kReaders; ++i) {
          group.go({.stack = fixed_stack(kRoom)}, [i, bad = &wrong, done = &ended] {
            for (int turn = 0; turn < kTurns; ++turn) {
              const Connection both;
              const WaitGroup others;
              others.go({.stack = fixed_stack(kRoom)}, [server = both.server] {
                error_of([&] {
                  send_text(server, "a");
                  send_text(server, "b");
                });
              });
              others.go({.stack = fixed_stack(kRoom)}, [client = both.client, i, turn] {
                client.set_read_deadline(now() + std::chrono::microseconds((i * 37 + turn) % 90));
                client.set_read_deadline(now() + 1h);
                if (turn % 2 == 0) client.close();
              });
              std::string text;
              const std::error_code error = error_of([&] { text = receive_text(both.client, 2); });
              if (error ? error != NetError::closed && error != NetError::timeout : text != "ab") {
                bad->fetch_add(1);
              }
              others.wait();
            }
            done->fetch_add(1);
          });
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(ended.load(), kReaders);
  EXPECT_EQ(wrong.load(), 0) << "a read gives the bytes, or says closed or timeout";
}

}  // namespace
}  // namespace goro::testing
