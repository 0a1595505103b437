// The end of a run.
#pragma once

#include "contracts/model.h"

namespace goro {

// An mcall function: goroutine 1 has returned, and every M leaves.
[[noreturn]] void main_done(G* gp);

// After M0 has left: waits for the other threads, and gives everything back that the run had.
void forget_the_run();

// Is gp in a system call that outlives its run?
bool is_orphan(const G* gp);

// The last act of a thread that was in a system call when its run ended.
void orphan_end(M* mp);

}  // namespace goro
