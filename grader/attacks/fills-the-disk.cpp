// Writes files until nothing more fits.
// report: The program ended early without finishing the test.
// needs: namespaces
#include <fcntl.h>
#include <unistd.h>
#include <string>

namespace {
[[gnu::constructor]] void attack() {
  static char page[1 << 20];
  for (int i = 0; i < 200; ++i) {
    const std::string name = "file" + std::to_string(i);
    const int fd = open(name.c_str(), O_WRONLY | O_CREAT, 0644);
    for (int k = 0; k < 8; ++k) (void)!write(fd, page, sizeof(page));
    close(fd);
  }
  _exit(0);
}
}  // namespace
