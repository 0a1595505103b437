// Puts the compiled reference into its program.
// report: solutions/04-local-run-queue/run_queue.cpp.o
// needs: namespaces
__asm__(
    ".incbin "
    "\"@BUILD@/runtime/CMakeFiles/slot_solution_04.dir/__/solutions/04-local-run-queue/"
    "run_queue.cpp.o\"");
