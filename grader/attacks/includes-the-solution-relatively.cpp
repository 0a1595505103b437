// Includes the solution by a way out of the folder in which it is compiled.
// report: solutions/04-local-run-queue/run_queue.cpp
// takes the place of: the starter
// needs: namespaces
#line 1 "@COURSE@/solutions/04-local-run-queue/run_queue.cpp"
#include "../../../../solutions/04-local-run-queue/run_queue.cpp"
