// Puts the solution's text into its program.
// report: solutions/04-local-run-queue/run_queue.cpp
// needs: namespaces
__asm__(".incbin \"@COURSE@/solutions/04-local-run-queue/run_queue.cpp\"");
