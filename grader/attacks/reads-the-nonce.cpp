// Reads the nonce before the test program does, and completes the test itself.
// report: The program ended early without finishing the test.
#include <sys/socket.h>
#include <unistd.h>
#include <cstdlib>
#include <string>

namespace {
[[gnu::constructor]] void attack() {
  const char* fd = std::getenv("GORO_TEST_CHANNEL");
  if (fd == nullptr) _exit(0);
  std::string nonce(64, ' ');
  const ssize_t n = recv(std::atoi(fd), nonce.data(), nonce.size(), 0);
  nonce.resize(n > 0 ? static_cast<std::size_t>(n) - 1 : 0);
  const std::string line =
      "{\"nonce\":\"" + nonce +
      "\",\"event\":\"complete\",\"test\":\"Ring.HoldsExactly256\",\"passed\":true}\n";
  (void)!write(std::atoi(fd), line.data(), line.size());
  _exit(0);
}
}  // namespace
