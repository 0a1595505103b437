// Attaches to its parent as a debugger does.
// report: The program ended early without finishing the test.
// needs: another user
#include <sys/ptrace.h>
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  if (ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == 0) {
    for (;;) pause();
  }
  _exit(0);
}
}  // namespace
