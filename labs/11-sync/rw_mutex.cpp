// Readers and writers.
// contracts/sync.h is the specification; this file is step 4 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/sync.h"

namespace goro {

// Step 4: wait for the writer.
void rw_rlock_slow(RWMutexWords* /*rw*/) {
  GORO_NOT_IMPLEMENTED(11, 4);
}

// Step 4: the last reader wakes the writer.
void rw_runlock_slow(RWMutexWords* /*rw*/, std::int32_t /*now*/) {
  GORO_NOT_IMPLEMENTED(11, 4);
}

// Step 4: ask, and wait for the readers that are there.
void rw_lock(RWMutexWords* /*rw*/) {
  GORO_NOT_IMPLEMENTED(11, 4);
}

// Step 4: let in the readers that came.
void rw_unlock(RWMutexWords* /*rw*/) {
  GORO_NOT_IMPLEMENTED(11, 4);
}

}  // namespace goro
