// The lists of those that have nothing to do, and how an M and a P come together.
// contracts/processors.h is the specification; this is step 2 of this lab's README.
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/threads.h"

namespace goro {

// Step 2. On top of sched.pidle; its bit in the mask; the count.
void pidleput(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(6, 2);
}

// Step 2. Off the top, or null.
P* pidleget() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

// Step 2. The same, and a mark when there is none.
P* pidleget_spinning() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

// Step 2. On top of sched.midle. It may have been the last M that ran.
void mput(M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(6, 2);
}

// Step 2. Off the top, or null.
M* mget() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

// Step 2. Wires this M and pp, after three checks.
void acquirep(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(6, 2);
}

// Step 2. Cuts the wire, after three checks.
P* releasep() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

}  // namespace goro
