// Connections of the tests that are whole programs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "support.h"

namespace goro::testing {

inline constexpr std::size_t kRoom = std::size_t{64} << 10;  // of goroutines with buffers

inline void send_text(const TcpStream& stream, std::string_view text) {
  stream.write(std::as_bytes(std::span(text.data(), text.size())));
}

// Reads until there are so many bytes, or the end.
inline std::string receive_text(const TcpStream& stream, std::size_t count) {
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

// Answers each connection with what it sends.
inline void serve_echo(const TcpListener& listener) {
  go({.stack = fixed_stack(kRoom)}, [listener] {
    error_of([&] {
      for (;;) {
        go({.stack = fixed_stack(kRoom)}, [stream = listener.accept()] {
          error_of([&] {
            std::array<std::byte, 1024> buffer;
            while (const std::size_t n = stream.read(buffer)) {
              stream.write(std::span(buffer).first(n));
            }
          });
          stream.close();
        });
      }
    });
  });
}

// So many clients at once, each of which sends what nobody else sends. How many of them got back
// all that they sent.
inline int ask_all(const TcpListener& listener, int clients, int rounds) {
  std::atomic<int> right{0};
  const WaitGroup group;
  for (int i = 0; i < clients; ++i) {
    group.go({.stack = fixed_stack(kRoom)}, [listener, i, rounds, out = &right] {
      const TcpStream stream = TcpStream::connect(listener.address());
      bool all = true;
      for (int n = 0; n < rounds; ++n) {
        const std::string text = std::to_string(i) + ":" + std::to_string(n) + ";";
        send_text(stream, text);
        all = all && receive_text(stream, text.size()) == text;
      }
      if (all) out->fetch_add(1);
    });
  }
  group.wait();
  return right.load();
}

// Both sides of one.
struct Connection {
  Connection() {
    const TcpListener listener = TcpListener::listen("127.0.0.1:0");
    client = TcpStream::connect(listener.address());
    server = listener.accept();
  }
  TcpStream client;
  TcpStream server;
};

}  // namespace goro::testing
