// Whole programs, with connections on the loopback. Nothing here expects that anything happens
// soon: only that it happens, and what.
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "network.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

using namespace std::chrono_literals;

TEST(Program, BytesGoToAndFro) {
  for (const int procs : {1, 2, 4}) {
    GORO_STEP("on ", procs, " Ps: a server that echoes, and one client that asks 50 times");
    int right = 0;
    run(
        [&] {
          const TcpListener listener = TcpListener::listen("127.0.0.1:0");
          serve_echo(listener);
          const TcpStream stream = TcpStream::connect(listener.address());
          for (int i = 0; i < 50; ++i) {
            const std::string text = "message " + std::to_string(i);
            send_text(stream, text);
            right += receive_text(stream, text.size()) == text ? 1 : 0;
          }
        },
        {.procs = procs});
    EXPECT_EQ(right, 50) << "each message must come back as it was sent";
  }
}

TEST(Program, ConnectionsCostNoThreads) {
  constexpr int kClients = 64;
  constexpr int kRounds = 20;
  GORO_STEP("two Ps: ", kClients, " connections at once, each of which asks ", kRounds, " times");
  std::int64_t threads = 0;
  int right = 0;
  run(
      [&] {
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        serve_echo(listener);
        right = ask_all(listener, kClients, kRounds);
        threads = on_system_stack([] {
          sched.lock.lock();
          const std::int64_t count = sched.mcount;
          sched.lock.unlock();
          return count;
        });
      },
      {.procs = 2});
  EXPECT_EQ(right, kClients) << "clients that got back exactly what they sent";
  EXPECT_LE(threads, 8) << "whoever waits must park its goroutine, and not its thread";
}

TEST(Program, ASlowReaderLosesNothing) {
  constexpr std::size_t kBytes = std::size_t{2} << 20;
  GORO_STEP("a writer with 2 MB, which the buffers do not hold; the reader gives way all the time");
  std::size_t got = 0;
  std::size_t wrong = 0;
  run(
      [&] {
        const Connection both;
        const WaitGroup group;
        group.go({.stack = fixed_stack(kRoom)}, [client = both.client] {
          std::vector<std::byte> bytes(kBytes);
          for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<std::byte>(i * 7);
          client.write(bytes);
          client.close();
        });
        std::vector<std::byte> buffer(3001);
        while (const std::size_t n = both.server.read(buffer)) {
          for (std::size_t i = 0; i < n; ++i) {
            wrong += buffer[i] != static_cast<std::byte>((got + i) * 7) ? 1 : 0;
          }
          got += n;
          yield();
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(got, kBytes) << "the writer waits until there is room, and goes on";
  EXPECT_EQ(wrong, 0U);
}

TEST(Program, ADeadlineEndsAWait) {
  GORO_STEP("goroutine 1 reads with a deadline of 5 ms; nothing comes");
  std::error_code first;
  std::error_code second;
  bool early = false;
  std::string text;
  run(
      [&] {
        const Connection both;
        const time_point until = now() + 5ms;
        both.client.set_read_deadline(until);
        first = error_of([&] { receive_text(both.client, 1); });
        early = now() < until;
        second = error_of([&] { receive_text(both.client, 1); });
        both.client.set_read_deadline({});
        send_text(both.server, "late");
        text = receive_text(both.client, 4);
      },
      {.procs = 2});
  EXPECT_EQ(first, std::errc::timed_out);
  EXPECT_FALSE(early) << "it ended before its time";
  EXPECT_EQ(second, std::errc::timed_out) << "until another deadline is set";
  EXPECT_EQ(text, "late") << "with no deadline, the connection is as good as ever";
}

TEST(Program, ClosingWakesWhoReads) {
  for (const int procs : {1, 2}) {
    GORO_STEP("on ", procs,
              " Ps: goroutine 2 reads, goroutine 1 closes the connection under it (a test that "
              "ends by its time limit waited for goroutine 2)");
    std::error_code error;
    run(
        [&] {
          const Connection both;
          const WaitGroup group;
          group.go({.stack = fixed_stack(kRoom)}, [client = both.client, out = &error] {
            *out = error_of([&] { receive_text(client, 1); });
          });
          while (netpoll_waiters.load() == 0) yield();
          both.client.close();
          group.wait();
        },
        {.procs = procs});
    EXPECT_EQ(error, NetError::closed) << error.message();
  }
}

TEST(Program, ADeadlockIsSeenWhenNobodyWaitsForTheNetworkAnyMore) {
  for (const bool by_close : {true, false}) {
    GORO_STEP("goroutine 1 waits for ever; goroutine 2 reads, and an M sleeps in epoll for it");
    GORO_STEP("goroutine 3 ends the read, by ", by_close ? "close" : "a deadline in the past");
    const ChildEnd end = in_child(
        [by_close] {
          run(
              [by_close] {
                const Connection both;
                go({.stack = fixed_stack(kRoom)},
                   [client = both.client] { error_of([&] { receive_text(client, 1); }); });
                while (netpoll_waiters.load() == 0) yield();
                go([client = both.client, by_close] {
                  while (sched.lastpoll.load() != 0) num_cpu();
                  if (by_close) {
                    client.close();
                  } else {
                    client.set_deadline(now() - std::chrono::seconds(1));
                  }
                });
                Channel<int>().receive();
              },
              {.procs = 2});
        },
        15);
    EXPECT_TRUE(end.fatal_with("all goroutines are asleep - deadlock!"))
        << "nobody waits for the network any more, and the M in epoll must be called home when the "
           "last one is woken (netpoll_break): else the deadlock is never seen. The child "
        << end.told();
  }
}

TEST(Program, NothingIsLeftOpen) {
  GORO_STEP("ten runs, each of which ends with connections open and a goroutine that reads");
  const std::set<int> before = open_fds();
  for (int i = 0; i < 10; ++i) {
    run(
        [&] {
          const Connection both;
          go({.stack = fixed_stack(kRoom)}, [client = both.client] { receive_text(client, 1); });
          while (netpoll_waiters.load() == 0) yield();
          both.server.set_deadline(now() + 1h);
        },
        {.procs = 2});
  }
  EXPECT_EQ(open_fds(), before) << "netpoll_end must close what netpoll_init has opened";
}

}  // namespace
}  // namespace goro::testing
