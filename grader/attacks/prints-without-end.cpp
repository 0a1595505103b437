// Prints until it is ended.
// not tried: it loads the whole machine, so it waits for one that does nothing else
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  static char page[1 << 16];
  for (;;) (void)!write(1, page, sizeof(page));
}
}  // namespace
