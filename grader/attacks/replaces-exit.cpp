// Takes the place of _exit.
// report: It did not end within its time limit
namespace goro {
void attack(int) __asm__("_exit");
void attack(int) {
  for (;;) __asm__ volatile("");
}
}  // namespace goro
