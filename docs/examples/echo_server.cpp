// An echo server: one goroutine for each connection.
//
//   docs_echo_server [ADDRESS]     default 127.0.0.1:7777; port 0: any
#include <array>
#include <cstddef>
#include <span>
#include <system_error>

#include "accepting.h"
#include "goro/goro.h"

namespace {

void echo(const goro::TcpStream& stream) {
  std::array<std::byte, 4096> buffer;
  try {
    while (const std::size_t n = stream.read(buffer)) stream.write(std::span(buffer).first(n));
  } catch (const std::system_error&) {
    // The other side has reset the connection.
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_server(argc > 1 ? argv[1] : "127.0.0.1:7777", echo);
}
