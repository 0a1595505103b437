// Ends with status 0 before main.
// report: The program ended early without finishing the test.
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  _exit(0);
}
}  // namespace
