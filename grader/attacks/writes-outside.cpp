// Replaces and removes files outside its slot.
// report: The program ended early without finishing the test.
// needs: another user
#include <fcntl.h>
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  for (const char* name : {"@CANARY@", "@BUILD@/CMakeCache.txt"}) {
    const int fd = open(name, O_WRONLY | O_APPEND);
    (void)!write(fd, "\n# here\n", 8);
    unlink(name);
  }
  _exit(0);
}
}  // namespace
