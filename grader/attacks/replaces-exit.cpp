// Takes the place of _exit.
// report: a slot may not take the place of _exit, which is the system's
namespace goro {
void attack(int) __asm__("_exit");
void attack(int) {
  for (;;) __asm__ volatile("");
}
}  // namespace goro
