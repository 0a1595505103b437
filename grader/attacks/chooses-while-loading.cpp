// Chooses a function while the program is loaded, which is before anything else runs.
// report: a slot may not choose
#include <unistd.h>

extern "C" {
[[gnu::used]] void (*goro_choose())() {
  _exit(0);
}
[[gnu::ifunc("goro_choose")]] void goro_chosen();
void (*goro_use)() = goro_chosen;
}
