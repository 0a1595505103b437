// What the tests of this lab share: what a client sends and reads, and both ends of connections.
#pragma once

#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "contracts/kv_server.h"
#include "goro/goro.h"
#include "testing/story.h"

namespace kv::testing {

using goro::SpawnOptions;
using goro::TcpListener;
using goro::TcpStream;

// Of goroutines that serve, or have buffers.
inline const SpawnOptions kRoomy{.stack = goro::fixed_stack(kStack)};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline void send(const TcpStream& stream, std::string_view text) {
  stream.write(bytes_of(text));
}

// Reads until there are so many bytes, or the end.
inline std::string receive(const TcpStream& stream, std::size_t count) {
  std::string text(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const std::size_t n = stream.read(std::as_writable_bytes(std::span(text).subspan(have)));
    if (n == 0) break;
    have += n;
  }
  text.resize(have);
  return text;
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

// All that comes up to the end, and how it ended if that was an error.
inline std::string receive_all(const TcpStream& stream) {
  std::string text;
  std::array<std::byte, 4096> buffer;
  const std::error_code error = error_of([&] {
    while (const std::size_t n = stream.read(buffer)) {
      text.append(reinterpret_cast<const char*>(buffer.data()), n);
    }
  });
  return error ? text + "(" + error.message() + ")" : text;
}

// Sends, and reads as much as the right answer has.
inline std::string ask(const TcpStream& stream, std::string_view text, std::string_view right) {
  send(stream, text);
  return receive(stream, right.size());
}

inline std::string set_of(std::string_view key, std::string_view value) {
  return "SET " + std::string(key) + " " + std::to_string(value.size()) + "\r\n" +
         std::string(value) + "\r\n";
}
inline std::string get_of(std::string_view key) {
  return "GET " + std::string(key) + "\r\n";
}
inline std::string value_of(std::string_view value) {
  return "VALUE " + std::to_string(value.size()) + "\r\n" + std::string(value) + "\r\n";
}

// A value that differs at every place, and from every other seed's.
inline std::string mixed(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1664525 + 1013904223;
    text[i] = static_cast<char>(seed >> 24);
  }
  return text;
}

// A client that is none of the runtime's: a socket of the system's.
class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : PlainClient() { connect(port); }
  PlainClient() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  PlainClient(PlainClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;
  ~PlainClient() { close(); }

  // On the loopback it does not wait for the server to accept.
  void connect(std::uint16_t port) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    good_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  void send(std::string_view text) const {
    good_ = good_ && ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
                         static_cast<ssize_t>(text.size());
  }
  // Blocks the thread: only where nobody needs it.
  [[nodiscard]] std::string receive(std::size_t count) const {
    std::string text(count, '\0');
    const ssize_t n = ::recv(fd_, text.data(), count, MSG_WAITALL);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  // How many bytes have come that were not read.
  [[nodiscard]] std::size_t waiting() const {
    int bytes = 0;
    return ::ioctl(fd_, FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
  }
  void reset() {
    const linger at_once{1, 0};
    good_ = setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0 && good_;
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  int fd_;
  mutable bool good_ = true;
};

// One connection: a goroutine talks at its server's end. On goroutine 1's stack.
struct OneTalk {
  explicit OneTalk(const TcpListener& listener = TcpListener::listen("127.0.0.1:0"))
      : server(listener) {
    client = TcpStream::connect(listener.address());
    start();
  }
  OneTalk(const OneTalk&) = delete;
  OneTalk& operator=(const OneTalk&) = delete;
  ~OneTalk() {
    client.close();
    talking.wait();
  }

  // The next connection to the listener.
  void start() {
    talking.go(kRoomy, [this, stream = server.listener.accept()] { talk(&server, stream); });
  }

  Server server;
  TcpStream client;
  goro::WaitGroup talking;
};

// A server that accepts. On goroutine 1's stack. Ends without stop.
struct Running {
  Running() : server(TcpListener::listen("127.0.0.1:0")) {
    serving.go(kRoomy, [this] { serve(&server); });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    server.listener.close();
    serving.wait();
    server.lock.lock();
    const std::list<TcpStream> left = server.streams;
    server.lock.unlock();
    for (const TcpStream& stream : left) stream.close();
    server.talking.wait();
  }

  [[nodiscard]] TcpStream connect() const { return TcpStream::connect(server.listener.address()); }
  [[nodiscard]] std::uint16_t port() const { return server.listener.address().port(); }
  [[nodiscard]] std::size_t connections() {
    server.lock.lock();
    const std::size_t count = server.streams.size();
    server.lock.unlock();
    return count;
  }

  Server server;
  goro::WaitGroup serving;
};

// Memory of this process that is there.
inline std::size_t resident_bytes() {
  std::size_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%*u %zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// Clients, each with a key of its own, and values that nobody else has. How many of them always got
// back what they had stored. All of them together count up the key "all" `rounds` times each.
inline int ask_all(const goro::TcpAddress& address, int clients, int rounds) {
  std::atomic<int> right{0};
  const goro::WaitGroup group;
  for (int i = 0; i < clients; ++i) {
    group.go(kRoomy, [address, i, rounds, out = &right] {
      const std::string key = "client-" + std::to_string(i);
      bool all = true;
      const std::error_code error = error_of([&] {
        const TcpStream stream = TcpStream::connect(address);
        for (int n = 0; n < rounds; ++n) {
          const auto seed = static_cast<std::uint32_t>(i * 1000 + n);
          const std::string value = mixed(seed * 37 % 5000, seed);
          const std::string answers = "OK\r\n" + value_of(value) + "NUMBER ";
          all = all &&
                ask(stream, set_of(key, value) + get_of(key) + "INCR all\r\n", answers) == answers;
          for (char c = ' '; all && c != '\n';) {
            const std::string one = receive(stream, 1);
            all = one.size() == 1;
            if (all) c = one[0];
          }
        }
      });
      if (all && !error) out->fetch_add(1);
    });
  }
  group.wait();
  return right.load();
}

}  // namespace kv::testing
