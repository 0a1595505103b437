// Sudogs: taken from the P and given back to it.
// contracts/sudog.h is the specification; this file is step 1 of this lab's README.
#include "contracts/sudog.h"

#include "contracts/not_implemented.h"

namespace goro {

// Step 1. From the P's list, which is refilled from sched's.
Sudog* acquire_sudog() {
  GORO_NOT_IMPLEMENTED(9, 1);
}

// Step 1. Back to the P's list, which is flushed to sched's.
void release_sudog(Sudog* /*s*/) {
  GORO_NOT_IMPLEMENTED(9, 1);
}

}  // namespace goro
