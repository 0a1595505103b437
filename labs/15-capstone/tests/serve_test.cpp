// serve: many connections at once, of clients that behave and of others.
#include <fcntl.h>
#include <sys/resource.h>

#include <set>
#include <thread>

#include "contracts/model.h"
#include "support.h"
#include "testing/child.h"

namespace {

// A loop without calls: only a signal stops it.
[[gnu::noinline]] void hog(const bool* stop) {
  while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
  }
}

}  // namespace

namespace kv::testing {
namespace {

using goro::testing::ChildEnd;
using goro::testing::in_child;

TEST(Serve, ManyClientsAtOnce) {
  constexpr int kClients = 48;
  constexpr int kRounds = 15;
  for (const int procs : {1, 4}) {
    GORO_STEP("on ", procs, " Ps: ", kClients, " clients at once, each of which stores ", kRounds,
              " values of its own, reads them back, and counts up a key of all");
    int right = 0;
    std::string sum;
    goro::run(
        [&] {
          const Running running;
          right = ask_all(running.server.listener.address(), kClients, kRounds);
          const std::string wanted = value_of(std::to_string(kClients * kRounds));
          sum = ask(running.connect(), get_of("all"), wanted);
        },
        {.procs = procs});
    EXPECT_EQ(right, kClients) << "clients that got back exactly what they had stored";
    EXPECT_EQ(sum, value_of(std::to_string(kClients * kRounds))) << "every INCR must count";
  }
}

TEST(Serve, ConnectionsCostNoThreads) {
  constexpr int kClients = 200;
  GORO_STEP("two Ps: ", kClients, " connections that are open at once");
  std::int64_t threads = 0;
  int right = 0;
  goro::run(
      [&] {
        const Running running;
        std::vector<TcpStream> clients;
        for (int i = 0; i < kClients; ++i) clients.push_back(running.connect());
        for (int round = 0; round < 3; ++round) {
          for (const TcpStream& client : clients) {
            right += ask(client, "PING\r\n", "PONG\r\n") == "PONG\r\n" ? 1 : 0;
          }
        }
        threads = goro::on_system_stack([] {
          goro::sched.lock.lock();
          const std::int64_t count = goro::sched.mcount;
          goro::sched.lock.unlock();
          return count;
        });
      },
      {.procs = 2});
  EXPECT_EQ(right, 3 * kClients);
  EXPECT_LE(threads, 8) << "whoever waits for a client must park its goroutine, and no thread";
}

TEST(Serve, ASlowReaderHoldsUpNobody) {
  GORO_STEP(
      "a client asks for 32 MB and reads nothing; another one reads and changes that key (a "
      "test that ends by its time limit waited for the slow one)");
  bool right = false;
  goro::run(
      [&] {
        Running running;
        const std::string value = mixed(kMaxValue, 5);
        running.server.store.set("big", value);
        const PlainClient slow(running.port());
        std::string requests;
        for (int i = 0; i < 32; ++i) requests += get_of("big");
        slow.send(requests);
        while (slow.waiting() < 1000) goro::yield();
        const TcpStream quick = running.connect();
        right = ask(quick, get_of("big"), value_of(value)) == value_of(value) &&
                ask(quick, set_of("big", "small"), "OK\r\n") == "OK\r\n" &&
                ask(quick, get_of("big"), value_of("small")) == value_of("small");
      },
      {.procs = 2});
  EXPECT_TRUE(right) << "the quick client must get its answers, whatever the slow one does";
}

TEST(Serve, ResetsHarmNobodyElse) {
  GORO_STEP("on four Ps: clients that reset their connections, while others go on");
  int right = 0;
  std::size_t left = 0;
  goro::run(
      [&] {
        Running running;
        running.server.store.set("big", std::string(kMaxValue, 'b'));
        const goro::WaitGroup group;
        group.go(kRoomy, [port = running.port()] {
          for (int i = 0; i < 100; ++i) {
            PlainClient client(port);
            client.send(i % 3 == 0 ? "GET big\r\nGET big\r\n" : i % 3 == 1 ? "SET a 10\r\n12" : "");
            for (int turn = 0; turn < i % 5; ++turn) goro::yield();
            client.reset();
          }
        });
        right = ask_all(running.server.listener.address(), 16, 15);
        group.wait();
        while ((left = running.connections()) != 0) goro::yield();
      },
      {.procs = 4});
  EXPECT_EQ(right, 16) << "clients that got back exactly what they had stored";
}

TEST(Serve, ConnectionsThatEndedAreForgotten) {
  GORO_STEP(
      "opened and closed 300 connections (a test that ends by its time limit waited for the "
      "server to close its ends)");
  std::size_t fds = 0;
  goro::run(
      [&] {
        Running running;
        const auto open = [] {
          std::size_t count = 0;
          for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
          return count;
        };
        ask(running.connect(), "PING\r\n", "PONG\r\n");
        while (running.connections() != 0) goro::yield();
        const std::size_t before = open();
        for (int i = 0; i < 300; ++i) ask(running.connect(), "PING\r\n", "PONG\r\n");
        while (running.connections() != 0) goro::yield();
        fds = open() - before;
      },
      {.procs = 2});
  EXPECT_EQ(fds, 0U) << "descriptors that were left open";
}

TEST(Serve, HogsHoldUpNobody) {
  GORO_STEP(
      "two Ps, and a loop without calls for each of them; four clients ask ten times each (a "
      "test that ends by its time limit waited for an answer)");
  int right = 0;
  bool stop = false;
  goro::run(
      [&] {
        const goro::WaitGroup group;
        {
          const Running running;
          std::atomic<int> hogs{0};
          for (int i = 0; i < 2; ++i) {
            group.go([s = &stop, count = &hogs] {
              count->fetch_add(1);
              hog(s);
            });
          }
          while (hogs.load() < 2) goro::yield();
          right = ask_all(running.server.listener.address(), 4, 10);
        }
        __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(right, 4) << "each request must be answered, although nobody gives way of himself";
}

TEST(Serve, ThreadsAreClientsToo) {
  GORO_STEP("four threads with sockets of their own, which ask 200 times each");
  std::atomic<int> right{0};
  goro::run(
      [&] {
        const Running running;
        const std::uint16_t port = running.port();
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
          threads.emplace_back([port, i, out = &right] {
            const PlainClient client(port);
            const std::string value = mixed(1000, static_cast<std::uint32_t>(i));
            const std::string key = "thread-" + std::to_string(i);
            const std::string answers = "OK\r\n" + value_of(value);
            for (int n = 0; n < 200; ++n) {
              client.send(set_of(key, value) + get_of(key));
              if (client.receive(answers.size()) == answers) out->fetch_add(1);
            }
          });
        }
        goro::system_call([&] {
          for (std::thread& thread : threads) thread.join();
        });
      },
      {.procs = 2});
  EXPECT_EQ(right.load(), 800);
}

TEST(Serve, WithoutDescriptorsItWaitsAndGoesOn) {
  GORO_STEP(
      "no descriptor is left; a client connects; later there are some again (a child that is "
      "killed waited in vain)");
  const ChildEnd end = in_child(
      [] {
        goro::run(
            [] {
              Running running;
              const TcpStream old = running.connect();
              if (ask(old, "PING\r\n", "PONG\r\n") != "PONG\r\n") _exit(3);
              PlainClient late;
              rlimit limit{};
              getrlimit(RLIMIT_NOFILE, &limit);
              limit.rlim_cur = 64;
              setrlimit(RLIMIT_NOFILE, &limit);
              std::vector<int> taken;
              for (int fd = dup(0); fd >= 0; fd = dup(0)) taken.push_back(fd);
              late.connect(running.port());
              late.send("PING\r\n");
              while (goro::stacks().find("[sleep") == std::string::npos) goro::yield();
              if (ask(old, "PING\r\n", "PONG\r\n") != "PONG\r\n") _exit(4);
              for (const int fd : taken) ::close(fd);
              if (goro::system_call([&] { return late.receive(6); }) != "PONG\r\n") _exit(5);
              late.close();
              old.close();
            },
            {.procs = 2});
      },
      20);
  EXPECT_EQ(end.status, 0) << "without a descriptor for a new connection the server must serve the "
                              "old ones, pause, and try again. The child "
                           << end.told();
  EXPECT_TRUE(end.says("kv: ") && end.says("oo many open files"))
      << "somebody must be told why nobody can connect: \"kv: \" and what() on stderr. The child "
      << end.told();
}

TEST(Serve, EndsWhenTheListenerIsClosed) {
  GORO_STEP("closed the listener (a test that ends by its time limit waited for serve)");
  std::string text;
  goro::run(
      [&] {
        Running running;
        const TcpStream client = running.connect();
        ask(client, "PING\r\n", "PONG\r\n");
        running.server.listener.close();
        running.serving.wait();
        text = ask(client, "PING\r\n", "PONG\r\n");
      },
      {.procs = 2});
  EXPECT_EQ(text, "PONG\r\n") << "serve has returned; connections that are there go on";
}

}  // namespace
}  // namespace kv::testing
