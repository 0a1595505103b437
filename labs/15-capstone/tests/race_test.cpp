// Many threads, watched by ThreadSanitizer.
#include <chrono>

#include "support.h"

namespace kv::testing {
namespace {

using namespace std::chrono_literals;

TEST(Race, ManyClients) {
  GORO_STEP("four Ps: 16 clients at once");
  int right = 0;
  goro::run(
      [&] {
        const Running running;
        right = ask_all(running.server.listener.address(), 16, 10);
      },
      {.procs = 4});
  EXPECT_EQ(right, 16);
}

TEST(Race, GoroutinesOnTheSameKeys) {
  GORO_STEP("four Ps: goroutines that set, read, count up and delete the same keys");
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        Store store;
        const goro::WaitGroup group;
        for (int i = 0; i < 8; ++i) {
          group.go(kRoomy, [i, at = &store, bad = &wrong] {
            for (int n = 0; n < 300; ++n) {
              const std::string key = "key-" + std::to_string((i + n) % 5);
              const std::string value(static_cast<std::size_t>(n % 50), static_cast<char>('a' + i));
              at->set(key, value);
              if (const Value read = at->get(key); read != nullptr && !read->empty()) {
                if (read->find_first_not_of(read->front()) != std::string::npos) bad->fetch_add(1);
              }
              if (n % 7 == 0) at->del(key);
              at->incr("count");
            }
          });
        }
        group.wait();
        if (store.incr("count") != 8 * 300 + 1) wrong.fetch_add(1);
      },
      {.procs = 4});
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Race, StopMeetsNewConnections) {
  GORO_STEP("four Ps: servers that are stopped while clients connect, ask and leave");
  goro::run(
      [&] {
        for (int turn = 0; turn < 10; ++turn) {
          Running running;
          const goro::WaitGroup group;
          for (int i = 0; i < 6; ++i) {
            group.go(kRoomy, [address = running.server.listener.address(), i] {
              error_of([&] {
                for (;;) {
                  const TcpStream stream = TcpStream::connect(address);
                  send(stream, "PING\r\n");
                  if (i % 2 == 0) receive_all(stream);
                }
              });
            });
          }
          for (int i = 0; i < turn * 20; ++i) goro::yield();
          stop(&running.server, 5ms);
          running.serving.wait();
          group.wait();
          EXPECT_EQ(running.connections(), 0U) << "stop returns when the last goroutine has ended";
        }
      },
      {.procs = 4});
}

}  // namespace
}  // namespace kv::testing
