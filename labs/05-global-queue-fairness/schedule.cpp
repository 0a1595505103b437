// Who runs next, and how it starts. contracts/scheduler.h is the specification; the steps are those
// of this lab's README.
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/not_implemented.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"

namespace goro {

// Step 3: the next goroutine for this M's P. Four places, in a fixed order; never comes back
// empty-handed.
Runnable find_runnable() {
  GORO_NOT_IMPLEMENTED(5, 3);
}

// Step 4: runs gp on this M until it stops.
void execute(G* /*gp*/, bool /*inherit_time*/) {
  GORO_NOT_IMPLEMENTED(5, 4);
}

// Step 5: one round of the scheduler.
void schedule() {
  GORO_NOT_IMPLEMENTED(5, 5);
}

}  // namespace goro
