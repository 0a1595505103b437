// Takes the place of _exit.
// report: It did not end within its time limit
extern "C" [[noreturn]] void _exit(int) {
  for (;;) __asm__ volatile("");
}
