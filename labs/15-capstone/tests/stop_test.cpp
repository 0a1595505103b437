// stop: a server that ends without cutting anybody short who deserves better.
#include <chrono>

#include "support.h"

namespace kv::testing {
namespace {

using namespace std::chrono_literals;

// No test waits for that long.
constexpr std::chrono::milliseconds kLongGrace = 1h;

TEST(Stop, EndsServe) {
  GORO_STEP(
      "stopped a server without connections (a test that ends by its time limit waited for "
      "stop or serve)");
  std::error_code error;
  goro::run(
      [&] {
        Running running;
        const goro::TcpAddress address = running.server.listener.address();
        stop(&running.server, kLongGrace);
        running.serving.wait();
        error = error_of([&] { TcpStream::connect(address); });
      },
      {.procs = 2});
  EXPECT_EQ(error, std::errc::connection_refused) << "nobody listens there any more";
}

TEST(Stop, EndsConnectionsThatWait) {
  constexpr int kClients = 20;
  GORO_STEP("stopped a server whose ", kClients, " clients say nothing");
  int ends = 0;
  goro::run(
      [&] {
        Running running;
        std::vector<TcpStream> clients;
        for (int i = 0; i < kClients; ++i) {
          clients.push_back(running.connect());
          ask(clients.back(), "PING\r\n", "PONG\r\n");
        }
        const goro::WaitGroup group;
        for (const TcpStream& client : clients) {
          group.go(kRoomy, [client, out = &ends] {
            const std::string text = receive_all(client);
            client.close();
            if (text.empty()) __atomic_fetch_add(out, 1, __ATOMIC_SEQ_CST);
          });
        }
        stop(&running.server, kLongGrace);
        group.wait();
        EXPECT_EQ(running.connections(), 0U) << "stop returns when the last goroutine has ended";
      },
      {.procs = 2});
  EXPECT_EQ(ends, kClients) << "clients that saw an orderly end";
}

TEST(Stop, MeetsAConnectionThatWasClosedJustNow) {
  GORO_STEP(
      "stopped a server with two connections: one was closed just now, and its goroutine waits for "
      "the lock to take it from the list; the other says nothing");
  std::error_code error;
  std::string end = "nothing yet";
  goro::run(
      [&] {
        Running running;
        const TcpStream closed = running.connect();
        closed.close();
        const TcpStream silent = running.connect();
        ask(silent, "PING\r\n", "PONG\r\n");
        running.server.lock.lock();
        const auto at = running.server.streams.insert(running.server.streams.begin(), closed);
        running.server.talking.go(kRoomy, [server = &running.server, at] {
          bool stopping = false;
          while (!stopping) {
            goro::yield();
            const std::lock_guard hold(server->lock);
            stopping = server->stopping;
            if (stopping) server->streams.erase(at);
          }
        });
        running.server.lock.unlock();
        error = error_of([&] { stop(&running.server, kLongGrace); });
        if (!error) end = receive_all(silent);
      },
      {.procs = 2});
  EXPECT_FALSE(error) << error.message() << ": stop gives up for a connection that is gone anyway";
  EXPECT_EQ(end, "") << "the other one is told that the server ends";
}

TEST(Stop, AnswersWhatWasRead) {
  constexpr int kRequests = 200;
  GORO_STEP("stopped a server that had read ", kRequests,
            " requests for 64 KB from a client that "
            "had read nothing yet");
  std::string wanted;
  std::string got;
  goro::run(
      [&] {
        Running running;
        const std::string value = mixed(64 << 10, 9);
        running.server.store.set("v", value);
        const TcpStream client = running.connect();
        std::string requests;
        for (int i = 0; i < kRequests; ++i) {
          requests += get_of("v");
          wanted += value_of(value);
        }
        got = ask(client, requests, "VALUE");
        const goro::WaitGroup stopping;
        stopping.go(kRoomy, [&] { stop(&running.server, kLongGrace); });
        for (bool asked = false; !asked; goro::yield()) {
          running.server.lock.lock();
          asked = running.server.stopping;
          running.server.lock.unlock();
        }
        got += receive_all(client);
        client.close();
        stopping.wait();
      },
      {.procs = 2});
  EXPECT_EQ(got.size(), wanted.size()) << "whoever was asked before stop must be answered";
  EXPECT_TRUE(got == wanted);
}

TEST(Stop, CutsOffWhoTakesTooLong) {
  GORO_STEP(
      "stopped a server that writes to a client that reads nothing (a test that ends by its "
      "time limit waited for stop)");
  std::size_t left = 99;
  goro::run(
      [&] {
        Running running;
        running.server.store.set("big", std::string(kMaxValue, 'b'));
        const PlainClient slow(running.port());
        // In one piece, so that one read brings all of them.
        std::string requests;
        for (int i = 0; i < 32; ++i) requests += get_of("big");
        slow.send(requests);
        while (slow.waiting() < 1000) goro::yield();
        stop(&running.server, 20ms);
        left = running.connections();
      },
      {.procs = 2});
  EXPECT_EQ(left, 0U) << "when the grace is over its connection is closed";
}

TEST(Stop, LeavesNothingBehind) {
  GORO_STEP("started and stopped ten servers with clients");
  std::size_t more = 99;
  goro::run(
      [&] {
        const std::size_t before = goro::num_goroutine();
        for (int i = 0; i < 10; ++i) {
          Running running;
          const TcpStream client = running.connect();
          ask(client, "PING\r\n", "PONG\r\n");
          goro::go(kRoomy, [client] {
            receive_all(client);
            client.close();
          });
          stop(&running.server, kLongGrace);
        }
        while ((more = goro::num_goroutine() - before) != 0) goro::yield();
      },
      {.procs = 2});
  EXPECT_EQ(more, 0U);
}

}  // namespace
}  // namespace kv::testing
