// Wants to run before any constructor.
// report: a slot may not have a section .preinit_array
#include <unistd.h>

namespace {
void first() {
  _exit(0);
}
__attribute__((section(".preinit_array"), used)) void (*const at_first)() = first;
}  // namespace
