// An echo server: one goroutine for each connection.
//
//   docs_echo_server [ADDRESS]     default 127.0.0.1:7777; port 0: any
//
// Out of descriptors, it says so, waits a moment, and goes on accepting.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <span>
#include <system_error>

#include "goro/goro.h"

namespace {

using namespace std::chrono_literals;

void echo(const goro::TcpStream& stream) {
  std::array<std::byte, 4096> buffer;
  try {
    while (const std::size_t n = stream.read(buffer)) stream.write(std::span(buffer).first(n));
  } catch (const std::system_error&) {
    // The other side has reset the connection.
  }
}

void serve(const goro::TcpListener& listener) {
  for (;;) {
    try {
      // The buffer is too large for a small stack to be worth it.
      goro::go({.stack = goro::fixed_stack(std::size_t{64} << 10)},
               [stream = listener.accept()] { echo(stream); });
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::too_many_files_open) throw;
      std::fprintf(stderr, "%s\n", error.what());
      goro::sleep(10ms);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return goro::run([&] {
    try {
      const auto listener = goro::TcpListener::listen(argc > 1 ? argv[1] : "127.0.0.1:7777");
      std::printf("listening on %s\n", listener.address().text().c_str());
      std::fflush(stdout);
      serve(listener);
    } catch (const std::system_error& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    return 1;
  });
}
