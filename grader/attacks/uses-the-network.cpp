// Talks to a server on this machine.
// report: ended with status 1 before the test was finished
// needs: namespaces
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>

namespace {
[[gnu::constructor]] void attack() {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<in_port_t>(std::atoi("@PORT@")));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0) {
    std::puts("@LEAK@");
    std::fflush(stdout);
  }
  _exit(1);
}
}  // namespace
