// Leaves a process behind that has a session of its own.
// report: The program ended early without finishing the test.
#include <unistd.h>
#include <csignal>

namespace {
[[gnu::constructor]] void attack() {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      std::signal(SIGTERM, SIG_IGN);
      for (int fd = 0; fd < 100; ++fd) close(fd);
      for (;;) pause();
    }
  }
  _exit(0);
}
}  // namespace
