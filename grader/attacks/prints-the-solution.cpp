// Prints the solution, for its author to read in the report.
// report: ended with status 1 before the test was finished
// needs: namespaces
#include <unistd.h>
#include <cstdio>

namespace {
[[gnu::constructor]] void attack() {
  static char text[1 << 14];
  if (std::FILE* file = std::fopen("@COURSE@/solutions/04-local-run-queue/run_queue.cpp", "r")) {
    (void)!std::fread(text, 1, sizeof(text) - 1, file);
    std::puts("@LEAK@");
    std::puts(text);
    std::fflush(stdout);
  }
  _exit(1);
}
}  // namespace
