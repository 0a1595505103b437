// Wants to run before any constructor.
// report: The program ended early without finishing the test.
#include <unistd.h>

namespace {
void first() {
  _exit(0);
}
__attribute__((section(".preinit_array"), used)) void (*const at_first)() = first;
}  // namespace
