// Connections of this process with itself, by plain system calls.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace goro::bars {

// What a client sends and waits for.
inline constexpr std::size_t kMessage = 128;

inline void expect(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(3);
}

class Loopback {
 public:
  struct Connection {
    int client;
    int server;
  };

  Loopback() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    expect(bind(listener_, generic(), size) == 0 && listen(listener_, 1024) == 0 &&
               getsockname(listener_, generic(), &size) == 0,
           "listen");
  }
  ~Loopback() { close(listener_); }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  Connection connection() {
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect(connect(client, generic(), sizeof address_) == 0, "connect");
    const int server = accept(listener_, nullptr, nullptr);
    expect(server >= 0, "accept");
    return {client, server};
  }

 private:
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }

  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address_{};
};

}  // namespace goro::bars
