// Who runs next, and how it starts. contracts/scheduler.h is the specification.
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/not_implemented.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"

namespace goro {

Runnable find_runnable() {
  GORO_NOT_IMPLEMENTED(5, 3);
}

void execute(G* /*gp*/, bool /*inherit_time*/) {
  GORO_NOT_IMPLEMENTED(5, 4);
}

void schedule() {
  GORO_NOT_IMPLEMENTED(5, 5);
}

}  // namespace goro
