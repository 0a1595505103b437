// What both servers do until they end: a goroutine for each connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <system_error>

#include "goro/goro.h"

// Runs serve(stream) for each connection, in a goroutine whose stack has room for a buffer: that is
// too large for a small stack to be worth it. Out of descriptors, it says so, waits a moment for
// one to come free, and goes on. Throws std::system_error for anything else.
template <typename Serve>
void accept_for_ever(const goro::TcpListener& listener, Serve serve) {
  for (;;) {
    try {
      goro::go({.stack = goro::fixed_stack(std::size_t{64} << 10)},
               [stream = listener.accept(), serve] { serve(stream); });
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::too_many_files_open) throw;
      std::fprintf(stderr, "%s\n", error.what());
      goro::sleep(std::chrono::milliseconds(10));
    }
  }
}

// A server's main(): listens, says where, and serves.
template <typename Serve>
int run_server(const char* address, Serve serve) {
  return goro::run([&] {
    try {
      const auto listener = goro::TcpListener::listen(address);
      std::printf("listening on %s\n", listener.address().text().c_str());
      std::fflush(stdout);
      accept_for_ever(listener, serve);
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    return 1;
  });
}
