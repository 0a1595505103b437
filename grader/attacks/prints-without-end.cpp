// Prints until it is ended.
// report: It printed more than 64 MB and was ended.
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  static char page[1 << 16];
  for (;;) (void)!write(1, page, sizeof(page));
}
}  // namespace
