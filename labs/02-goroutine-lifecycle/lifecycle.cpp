// Birth, life and death of a goroutine. contracts/lifecycle.h is the specification.
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

void casgstatus(G* /*gp*/, GStatus /*from*/, GStatus /*to*/) {
  GORO_NOT_IMPLEMENTED(2, 1);
}

G* gfget(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(2, 2);
}

void gfput(P* /*pp*/, G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 2);
}

G* newproc1(P* /*pp*/, const Closure& /*closure*/, StackKind /*kind*/, std::uint64_t /*parent*/,
            std::uintptr_t /*pc*/) {
  GORO_NOT_IMPLEMENTED(2, 3);
}

void dropg() {
  GORO_NOT_IMPLEMENTED(2, 4);
}

void gopark(bool (*/*unlockf*/)(G* gp, void* lock), void* /*lock*/, WaitReason /*reason*/) {
  GORO_NOT_IMPLEMENTED(2, 5);
}

void park_m(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 5);
}

void ready(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 6);
}

void goready(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 6);
}

void gosched_m(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 7);
}

void goexit0(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(2, 8);
}

}  // namespace goro
