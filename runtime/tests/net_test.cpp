// TCP on the loopback, as a program sees it.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "contracts/model.h"
#include "contracts/netpoll.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/gate.h"
#include "testing/story.h"
#include "tests/under_lock.h"

namespace {

using namespace std::chrono_literals;
using goro::TcpListener;
using goro::TcpStream;
using goro::testing::ChildEnd;
using goro::testing::in_child;
using goro::testing::under_lock;

constexpr std::size_t kRoom = std::size_t{64} << 10;  // of goroutines with buffers

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Reads until there are so many bytes, or the end.
std::string read_exactly(const TcpStream& stream, std::size_t count) {
  std::string text(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const std::size_t n =
        stream.read(std::as_writable_bytes(std::span(text.data() + have, count - have)));
    if (n == 0) break;
    have += n;
  }
  text.resize(have);
  return text;
}

void echo(const TcpStream& stream) {
  std::array<std::byte, 4096> buffer;
  try {
    while (const std::size_t n = stream.read(buffer)) stream.write(std::span(buffer).first(n));
  } catch (const std::system_error&) {
    // Reset by the other side.
  }
  stream.close();
}

void serve_echo(const TcpListener& listener) {
  goro::go({.stack = goro::fixed_stack(kRoom)}, [listener] {
    try {
      for (;;) {
        goro::go({.stack = goro::fixed_stack(kRoom)},
                 [stream = listener.accept()] { echo(stream); });
      }
    } catch (const std::system_error&) {
      // Closed.
    }
  });
}

// What f fails with; zero if it does not.
template <typename F>
std::error_code error_of(F f) {
  try {
    f();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

// A connection, both sides.
struct Pair {
  TcpStream client;
  TcpStream server;
};
Pair make_pair() {
  const TcpListener listener = TcpListener::listen("127.0.0.1:0");
  Pair pair;
  pair.client = TcpStream::connect(listener.address());
  pair.server = listener.accept();
  return pair;
}

TEST(TcpAddress, IsTextAndBack) {
  EXPECT_EQ(goro::TcpAddress("127.0.0.1:80").text(), "127.0.0.1:80");
  EXPECT_EQ(goro::TcpAddress("[::1]:8080").text(), "[::1]:8080");
  EXPECT_EQ(goro::TcpAddress(":7").text(), "0.0.0.0:7");
  EXPECT_EQ(goro::TcpAddress("localhost:9").port(), 9);
  const std::string text = goro::TcpAddress("10.1.2.3:65535");
  EXPECT_EQ(text, "10.1.2.3:65535");
  EXPECT_EQ(goro::TcpAddress("127.0.0.1:80"), goro::TcpAddress("127.0.0.1:80"));
  for (const char* bad : {"", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]",
                          "127.0.0.1:http", "127.0.0.1:-1"}) {
    EXPECT_EQ(error_of([bad] { goro::TcpAddress address(bad); }), std::errc::invalid_argument)
        << bad;
  }
}

TEST(Net, BytesGoToAndFro) {
  for (const int procs : {1, 2, 4}) {
    GORO_STEP("a server that echoes and one client, on ", procs, " Ps");
    goro::run(
        [&] {
          const TcpListener listener = TcpListener::listen("127.0.0.1:0");
          serve_echo(listener);
          const TcpStream stream = TcpStream::connect(listener.address());
          EXPECT_EQ(stream.remote_address(), listener.address());
          EXPECT_NE(stream.local_address().port(), 0);
          for (int i = 0; i < 100; ++i) {
            const std::string text = "message " + std::to_string(i);
            EXPECT_EQ(stream.write(bytes_of(text)), text.size());
            EXPECT_EQ(read_exactly(stream, text.size()), text);
          }
          EXPECT_EQ(stream.read({}), 0U) << "an empty buffer";
          stream.close_write();
          EXPECT_EQ(read_exactly(stream, 1), "") << "the server has closed: the end";
          EXPECT_EQ(read_exactly(stream, 1), "") << "and once more";
        },
        {.procs = procs});
  }
}

TEST(Net, SmallStacksDo) {
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        goro::WaitGroup group;
        group.go([listener] {
          for (int i = 0; i < 20; ++i) {
            goro::go([stream = listener.accept()] {
              std::byte byte{};
              while (stream.read({&byte, 1}) == 1) stream.write({&byte, 1});
            });
          }
        });
        for (int i = 0; i < 20; ++i) {
          group.go([listener, i, bad = &wrong] {
            const TcpStream stream = TcpStream::connect(listener.address());
            for (int n = 0; n < 50; ++n) {
              const auto sent = static_cast<std::byte>(i * 7 + n);
              std::byte got{};
              stream.write({&sent, 1});
              if (stream.read({&got, 1}) != 1 || got != sent) bad->fetch_add(1);
            }
          });
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0);
}

// So many clients at once, each of which sends what nobody else sends.
void many_clients(int clients, int rounds, int procs) {
  std::atomic<int> right{0};
  std::int64_t threads = 0;
  goro::run(
      [&] {
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        serve_echo(listener);
        goro::WaitGroup group;
        for (int i = 0; i < clients; ++i) {
          group.go({.stack = goro::fixed_stack(kRoom)}, [listener, i, rounds, out = &right] {
            const TcpStream stream = TcpStream::connect(listener.address());
            bool all = true;
            for (int n = 0; n < rounds; ++n) {
              std::string text = std::to_string(i) + ":" + std::to_string(n) + ";";
              text.append(static_cast<std::size_t>(i % 50), 'x');
              stream.write(bytes_of(text));
              all = all && read_exactly(stream, text.size()) == text;
            }
            if (all) out->fetch_add(1);
          });
        }
        group.wait();
        threads = under_lock(goro::sched.mcount);
      },
      {.procs = procs});
  EXPECT_EQ(right.load(), clients) << "clients that got back exactly what they sent";
  EXPECT_LE(threads, procs + 4) << "connections must not cost threads";
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kManyClients = 200;
#else
constexpr int kManyClients = 1000;
#endif

// Both sides' descriptors of so many connections.
bool may_open(int connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur >= 2 * static_cast<rlim_t>(connections) + 100;
}

TEST(Net, SixtyFourClientsAtOnce) {
  for (const int procs : {1, 2, 4}) many_clients(64, 50, procs);
}

TEST(Net, AThousandClientsAtOnce) {
  ASSERT_TRUE(may_open(kManyClients)) << "the test needs more descriptors";
  for (const int procs : {1, 4}) many_clients(kManyClients, 5, procs);
}

TEST(Net, ASlowReaderHoldsUpItsWriterAndLosesNothing) {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  std::uint64_t sum_sent = 0;
  std::uint64_t sum_got = 0;
  std::size_t got = 0;
  goro::run(
      [&] {
        Pair pair = make_pair();
        goro::WaitGroup group;
        group.go({.stack = goro::fixed_stack(kRoom)}, [client = pair.client, out = &sum_sent] {
          std::vector<std::byte> bytes(kBytes);
          for (std::size_t i = 0; i < kBytes; ++i) {
            bytes[i] = static_cast<std::byte>(i * i >> 3);
            *out += static_cast<std::uint64_t>(bytes[i]) * (i % 65521);
          }
          client.write(bytes);
          client.close();
        });
        std::vector<std::byte> buffer(10'007);
        while (const std::size_t n = pair.server.read(buffer)) {
          for (std::size_t i = 0; i < n; ++i) {
            sum_got += static_cast<std::uint64_t>(buffer[i]) * ((got + i) % 65521);
          }
          got += n;
          if (got % 7 == 0) goro::sleep(1us);
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(got, kBytes);
  EXPECT_EQ(sum_got, sum_sent);
}

TEST(Net, WritersTakeTurnsAndMixNothingUp) {
  constexpr int kWriters = 8;
  constexpr std::size_t kMessage = std::size_t{300} << 10;
  int mixed = 0;
  std::size_t got = 0;
  goro::run(
      [&] {
        Pair pair = make_pair();
        goro::WaitGroup group;
        for (int i = 0; i < kWriters; ++i) {
          group.go({.stack = goro::fixed_stack(kRoom)}, [client = pair.client, i] {
            const std::string text(kMessage, static_cast<char>('a' + i));
            client.write(bytes_of(text));
          });
        }
        goro::go([group, client = pair.client] {
          group.wait();
          client.close();
        });
        for (;;) {
          const std::string text = read_exactly(pair.server, kMessage);
          got += text.size();
          if (text.size() < kMessage) break;
          if (text != std::string(kMessage, text[0])) ++mixed;
        }
      },
      {.procs = 2});
  EXPECT_EQ(got, kWriters * kMessage);
  EXPECT_EQ(mixed, 0) << "messages with parts of others in them";
}

TEST(Net, HalfClosedConnectionsStillAnswer) {
  goro::run([] {
    Pair pair = make_pair();
    pair.client.write(bytes_of("question"));
    pair.client.close_write();
    EXPECT_EQ(read_exactly(pair.server, 100), "question") << "all that was sent, and then the end";
    pair.server.write(bytes_of("answer"));
    pair.server.close();
    EXPECT_EQ(read_exactly(pair.client, 100), "answer");
    EXPECT_EQ(error_of([&] { pair.client.write(bytes_of("more")); }), std::errc::broken_pipe)
        << "an error, not SIGPIPE";
  });
}

TEST(Net, AResetIsAnError) {
  goro::run(
      [] {
        for (int i = 0; i < 20; ++i) {
          Pair pair = make_pair();
          // Unread bytes: to close is to reset.
          pair.client.write(bytes_of("never read"));
          std::error_code error;
          goro::WaitGroup group;
          group.go({.stack = goro::fixed_stack(kRoom)}, [client = pair.client, out = &error] {
            *out = error_of([&] {
              std::byte byte{};
              client.read({&byte, 1});
            });
          });
          goro::yield();
          pair.server.close();
          group.wait();
          EXPECT_EQ(error, std::errc::connection_reset) << error.message();
        }
      },
      {.procs = 2});
}

TEST(Net, NobodyListens) {
  goro::run([] {
    goro::TcpAddress address;
    {
      const TcpListener listener = TcpListener::listen("127.0.0.1:0");
      address = listener.address();
    }
    try {
      TcpStream::connect(address);
      ADD_FAILURE() << "connected to a port that was closed";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::connection_refused);
      EXPECT_NE(std::string(error.what()).find("dial tcp " + address.text()), std::string::npos)
          << error.what();
    }
  });
}

TEST(Net, ClosingWakesWhoReadsAndWhoAccepts) {
  for (const int procs : {1, 2}) {
    goro::run(
        [] {
          Pair pair = make_pair();
          const TcpListener listener = TcpListener::listen("127.0.0.1:0");
          std::array<std::error_code, 3> errors;
          goro::WaitGroup group;
          // Two readers: one waits for the network, the other for its turn.
          for (int i = 0; i < 2; ++i) {
            group.go({.stack = goro::fixed_stack(kRoom)},
                     [client = pair.client, out = &errors[static_cast<std::size_t>(i)]] {
                       *out = error_of([&] {
                         std::byte byte{};
                         client.read({&byte, 1});
                       });
                     });
          }
          group.go({.stack = goro::fixed_stack(kRoom)}, [listener, out = &errors[2]] {
            *out = error_of([&] { (void)listener.accept(); });
          });
          while (goro::netpoll_waiters.load() < 2) goro::yield();
          pair.client.close();
          listener.close();
          group.wait();
          for (const std::error_code& error : errors) {
            EXPECT_EQ(error, goro::NetError::closed) << error.message();
            EXPECT_EQ(error, std::errc::bad_file_descriptor);
          }
          EXPECT_EQ(error_of([&] { pair.client.write(bytes_of("x")); }), goro::NetError::closed);
          pair.client.close();
        },
        {.procs = procs});
  }
}

TEST(Net, APortIsFreeWhenCloseReturns) {
  goro::run(
      [] {
        TcpListener listener = TcpListener::listen("127.0.0.1:0");
        const goro::TcpAddress address = listener.address();
        for (int i = 0; i < 50; ++i) {
          const goro::WaitGroup group;
          group.go({.stack = goro::fixed_stack(kRoom)},
                   [listener] { error_of([&] { (void)listener.accept(); }); });
          goro::yield();
          listener.close();
          listener = TcpListener::listen(address);
          group.wait();
        }
      },
      {.procs = 2});
}

TEST(Net, ADeadlineEndsAWait) {
  goro::run(
      [] {
        Pair pair = make_pair();
        std::byte byte{};
        const auto begin = std::chrono::steady_clock::now();
        pair.client.set_read_deadline(goro::now() + 20ms);
        EXPECT_EQ(error_of([&] { pair.client.read({&byte, 1}); }), std::errc::timed_out);
        EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
        EXPECT_EQ(error_of([&] {
                    pair.client.read({&byte, 1});
                  }),
                  goro::NetError::timeout)
            << "until another is set";
        pair.client.write(bytes_of("writing has no deadline"));
        GORO_STEP("a deadline in the past wakes a reader that waits already");
        pair.client.set_deadline({});
        std::error_code error;
        const goro::WaitGroup group;
        group.go({.stack = goro::fixed_stack(kRoom)}, [client = pair.client, out = &error] {
          *out = error_of([&] {
            std::byte got{};
            client.read({&got, 1});
          });
        });
        while (goro::netpoll_waiters.load() == 0) goro::yield();
        pair.client.set_deadline(goro::now() - 1s);
        group.wait();
        EXPECT_EQ(error, std::errc::timed_out);
        GORO_STEP("none again: the connection is as good as ever");
        pair.client.set_deadline({});
        pair.server.write(bytes_of("hello"));
        EXPECT_EQ(read_exactly(pair.client, 5), "hello");
        GORO_STEP("a writer that the other side holds up");
        pair.client.set_write_deadline(goro::now() + 20ms);
        const std::vector<std::byte> much(std::size_t{64} << 20);
        EXPECT_EQ(error_of([&] { pair.client.write(much); }), std::errc::timed_out);
        GORO_STEP("accept");
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        listener.set_deadline(goro::now() + 10ms);
        EXPECT_EQ(error_of([&] { (void)listener.accept(); }), std::errc::timed_out);
      },
      {.procs = 2});
}

TEST(Net, ADeadlineThatIsMovedDoesNotPass) {
  goro::run(
      [] {
        Pair pair = make_pair();
        const goro::WaitGroup group;
        std::error_code error;
        group.go({.stack = goro::fixed_stack(kRoom)}, [client = pair.client, out = &error] {
          *out = error_of([&] { read_exactly(client, 1); });
        });
        for (int i = 0; i < 100; ++i) {
          pair.client.set_read_deadline(goro::now() + 2ms);
          goro::sleep(200us);
          pair.client.set_read_deadline(goro::now() + 10min);
        }
        pair.client.set_read_deadline({});
        pair.server.write(bytes_of("x"));
        group.wait();
        // On a busy machine a sleep of 200 µs may last 2 ms.
        EXPECT_TRUE(!error || error == std::errc::timed_out) << error.message();
      },
      {.procs = 2});
}

TEST(Net, OutOfDescriptorsIsAClearErrorAndPasses) {
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          const TcpListener listener = TcpListener::listen("127.0.0.1:0");
          std::vector<TcpStream> streams;
          streams.push_back(TcpStream::connect(listener.address()));
          streams.push_back(listener.accept());
          rlimit limit{};
          getrlimit(RLIMIT_NOFILE, &limit);
          limit.rlim_cur = static_cast<rlim_t>(dup(0)) + 11;
          setrlimit(RLIMIT_NOFILE, &limit);
          bool refused = false;
          for (int i = 0; i < 20 && !refused; ++i) {
            try {
              streams.push_back(TcpStream::connect(listener.address()));
              streams.push_back(listener.accept());
            } catch (const std::system_error& error) {
              refused = error.code() == std::errc::too_many_files_open;
              if (!refused || std::string(error.what()).find("tcp") == std::string::npos) _exit(3);
            }
          }
          if (!refused) _exit(4);
          // What is open goes on.
          streams[0].write(bytes_of("still here"));
          if (read_exactly(streams[1], 10) != "still here") _exit(5);
          streams.erase(streams.begin() + 2, streams.end());
          const TcpStream client = TcpStream::connect(listener.address());
          const TcpStream server = listener.accept();
          server.write(bytes_of("again"));
          if (read_exactly(client, 5) != "again") _exit(6);
        },
        {.procs = 2});
  });
  EXPECT_EQ(end.status, 0) << end.told();
}

TEST(Net, WhoWaitsForTheNetworkIsNoDeadlock) {
  GORO_STEP("everybody waits, until a thread outside connects");
  for (const int procs : {1, 4}) {
    std::thread outside;
    std::string got;
    goro::run(
        [&] {
          const TcpListener listener = TcpListener::listen("127.0.0.1:0");
          const std::uint16_t port = listener.address().port();
          outside = std::thread([port] {
            std::this_thread::sleep_for(50ms);
            // In a run of its own there would be another poller: plain sockets.
            const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
            sockaddr address{};
            address.sa_family = AF_INET;
            const std::array<unsigned char, 6> where{static_cast<unsigned char>(port >> 8),
                                                     static_cast<unsigned char>(port & 255),
                                                     127,
                                                     0,
                                                     0,
                                                     1};
            std::copy(where.begin(), where.end(),
                      reinterpret_cast<unsigned char*>(address.sa_data));
            if (::connect(fd, &address, sizeof(address)) == 0) {
              if (::write(fd, "outside", 7) != 7) std::perror("write");
            }
            ::close(fd);
          });
          const goro::Channel<int> never;
          goro::go([never] { never.receive(); });
          goro::lock_os_thread();  // its P must go to somebody who polls
          got = read_exactly(listener.accept(), 7);
        },
        {.procs = procs});
    outside.join();
    EXPECT_EQ(got, "outside");
  }
}

TEST(Net, ADeadlockIsReportedWithSocketsOpen) {
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          Pair pair = make_pair();
          pair.client.write(bytes_of("nobody waits for this"));
          pair.client.set_deadline(goro::now() + 1ms);
          goro::sleep(2ms);
          pair.client.set_deadline({});
          goro::Channel<int>().receive();
        },
        {.procs = 2});
  });
  EXPECT_TRUE(end.fatal_with("all goroutines are asleep - deadlock!")) << end.told();
}

TEST(Net, ADeadlockIsReportedWhenTheLastWaitWasCutShort) {
  for (const bool by_close : {false, true}) {
    const ChildEnd end = in_child([by_close] {
      goro::run(
          [by_close] {
            Pair pair = make_pair();
            goro::go({.stack = goro::fixed_stack(kRoom)},
                     [client = pair.client] { error_of([&] { read_exactly(client, 1); }); });
            while (goro::netpoll_waiters.load() == 0) goro::yield();
            if (by_close) {
              goro::go([client = pair.client] {
                goro::sleep(10ms);
                client.close();
              });
            } else {
              pair.client.set_deadline(goro::now() + 10ms);
            }
            goro::Channel<int>().receive();
          },
          {.procs = 2});
    });
    EXPECT_TRUE(end.fatal_with("all goroutines are asleep - deadlock!")) << end.told();
  }
}

TEST(Net, ADumpSaysIoWait) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      const TcpListener listener = TcpListener::listen("127.0.0.1:0");
      goro::go([listener] { (void)listener.accept(); });
      while (goro::netpoll_waiters.load() == 0) goro::yield();
      raise(SIGQUIT);
    });
  });
  EXPECT_TRUE(end.says("goroutine 2 [IO wait]:")) << end.err;
}

TEST(Net, ABusyPDoesNotKeepOthersFromTheNetwork) {
  GORO_STEP("one P: a goroutine yields without end, another reads");
  std::string got;
  goro::run(
      [&] {
        Pair pair = make_pair();
        std::atomic<bool> done{false};
        goro::go([stop = &done] {
          while (!stop->load()) goro::yield();
        });
        goro::go([server = pair.server] {
          goro::sleep(1ms);
          server.write(bytes_of("hello"));
        });
        got = read_exactly(pair.client, 5);
        done.store(true);
      },
      {.procs = 1});
  EXPECT_EQ(got, "hello") << "sysmon looks when nobody else does";
}

TEST(Net, WaitsForAnyDescriptor) {
  const goro::testing::Gate gate;
  int order = 0;
  goro::run(
      [&] {
        const goro::WaitGroup group;
        for (int i = 0; i < 3; ++i) {
          group.go([fd = gate.fds[0], at = &order] {
            goro::wait_readable(fd);
            ++*at;
          });
        }
        while (goro::netpoll_waiters.load() < 3) goro::yield();
        goro::wait_writable(gate.fds[1]);
        EXPECT_EQ(order, 0);
        gate.open(1);
        group.wait();
        EXPECT_EQ(error_of([] { goro::wait_readable(12345); }), std::errc::bad_file_descriptor);
      },
      {.procs = 1});
  EXPECT_EQ(order, 3) << "all who wait for the same descriptor";
}

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) ++count;
  }
  return count;
}

TEST(Net, WhatIsOpenWhenRunReturnsIsClosed) {
  const goro::testing::Gate gate;
  const int before = open_descriptors();
  TcpStream left;
  for (int i = 0; i < 20; ++i) {
    goro::run(
        [&] {
          const TcpListener listener = TcpListener::listen("127.0.0.1:0");
          serve_echo(listener);
          left = TcpStream::connect(listener.address());
          left.set_deadline(goro::now() + 1h);
          goro::go([fd = gate.fds[0]] { goro::wait_readable(fd); });
          for (int n = 0; n < 10; ++n) {
            const TcpStream stream = TcpStream::connect(listener.address());
            goro::go([stream] {
              std::byte byte{};
              stream.read({&byte, 1});
            });
            goro::yield();
          }
        },
        {.procs = 2});
  }
  EXPECT_EQ(open_descriptors(), before);
  goro::run([&] {
    std::byte byte{};
    EXPECT_EQ(error_of([&] {
                left.read({&byte, 1});
              }),
              goro::NetError::closed)
        << "a handle of a former run";
  });
}

TEST(Net, ConnectionsThatComeAndGo) {
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        serve_echo(listener);
        const goro::WaitGroup group;
        for (int i = 0; i < 8; ++i) {
          group.go({.stack = goro::fixed_stack(kRoom)}, [listener, i, bad = &wrong] {
            for (int n = 0; n < 100; ++n) {
              const TcpStream stream = TcpStream::connect(listener.address());
              if (n % 3 == 0) {
                stream.write(bytes_of("unread"));  // and closed: perhaps a reset for the server
                continue;
              }
              const std::string text = std::to_string(i) + "." + std::to_string(n);
              if (n % 5 == 0) stream.set_deadline(goro::now() + 1h);
              stream.write(bytes_of(text));
              if (read_exactly(stream, text.size()) != text) bad->fetch_add(1);
            }
          });
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Net, OutsideOfRunIsAPanic) {
  EXPECT_THROW((void)TcpListener::listen("127.0.0.1:0"), goro::Panic);
  EXPECT_THROW((void)TcpStream::connect("127.0.0.1:1"), goro::Panic);
}

TEST(Net, AnIdleServerUsesNoProcessor) {
  std::chrono::microseconds spent{};
  auto used = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  goro::run(
      [&] {
        const TcpListener listener = TcpListener::listen("127.0.0.1:0");
        serve_echo(listener);
        Pair pair = make_pair();
        goro::sleep(50ms);
        const auto before = used();
        goro::sleep(500ms);
        spent = used() - before;
      },
      {.procs = 4});
#if defined(__SANITIZE_THREAD__)
  EXPECT_LT(spent.count(), 250'000)
#else
  EXPECT_LT(spent.count(), 25'000)
#endif
      << "microseconds of processor time in half a second of rest";
}

}  // namespace
