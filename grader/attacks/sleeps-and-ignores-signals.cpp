// Sleeps for ever and ignores every signal that can be ignored.
// report: It did not end within its time limit
#include <unistd.h>
#include <csignal>

namespace {
[[gnu::constructor]] void attack() {
  for (int number = 1; number < 32; ++number) std::signal(number, SIG_IGN);
  for (;;) pause();
}
}  // namespace
