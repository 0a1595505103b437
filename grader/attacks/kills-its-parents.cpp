// Kills every process that it may kill, its parents first.
// report: The program ended early without finishing the test.
// needs: another user
#include <unistd.h>
#include <csignal>

namespace {
[[gnu::constructor]] void attack() {
  kill(getppid(), SIGKILL);
  kill(-1, SIGKILL);
  _exit(0);
}
}  // namespace
