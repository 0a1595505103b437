// Birth, life and death of a goroutine. contracts/lifecycle.h is the specification; the steps are
// those of this lab's README.
#include "contracts/lifecycle.h"

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/allgs.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"

namespace goro {

// Step 1: one atomic exchange from one status to the next, or the end of the program.
void casgstatus(G* /*gp*/, GStatus /*from*/, GStatus /*to*/) {
  GORO_NOT_IMPLEMENTED(2, 1);
}

// Step 2: put a dead G on the P's list; too many go to the global list.
void gfput(P* /*pp*/, G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 2);
}

// Step 2: take one from the P's list, which is refilled from the global list.
G* gfget(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(2, 2);
}

// Step 3: a goroutine that is ready to run for the first time.
G* newproc1(P* /*pp*/, const Closure& /*closure*/, StackKind /*kind*/, std::uint64_t /*parent*/,
            std::uintptr_t /*pc*/) {
  GORO_NOT_IMPLEMENTED(2, 3);
}

// Step 4: this M and its goroutine part.
void dropg() {
  GORO_NOT_IMPLEMENTED(2, 4);
}

// Step 5, on the goroutine's stack: say what to do when the goroutine is off it, and leave it.
void gopark(bool (* /*unlockf*/)(G* gp, void* lock), void* /*lock*/, WaitReason /*reason*/) {
  GORO_NOT_IMPLEMENTED(2, 5);
}

// Step 5, on g0: make it wait, and only then let others know of it.
[[noreturn]] void park_m(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 5);
}

// Step 6, on g0: a goroutine that waits is to run next.
void ready(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 6);
}

// Step 6, on any stack.
void goready(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 6);
}

// Step 7, on g0: everyone else first.
[[noreturn]] void gosched_m(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 7);
}

// Step 8, on g0: the end, and the G is free for the next life.
[[noreturn]] void goexit0(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 8);
}

}  // namespace goro
