// Writes a completion to every descriptor that it has.
// report: The program ended early without finishing the test.
#include <unistd.h>
#include <string>

namespace {
[[gnu::constructor]] void attack() {
  const std::string line =
      "{\"nonce\":\"\",\"event\":\"complete\",\"test\":\"Ring.HoldsExactly256\",\"passed\":true}\n";
  for (int fd = 3; fd < 100; ++fd) (void)!write(fd, line.data(), line.size());
  _exit(0);
}
}  // namespace
