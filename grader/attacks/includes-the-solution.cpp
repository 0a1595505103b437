// Includes the solution by its absolute path.
// report: solutions/04-local-run-queue/run_queue.cpp
// takes the place of: the starter
// needs: namespaces
#include "@COURSE@/solutions/04-local-run-queue/run_queue.cpp"
