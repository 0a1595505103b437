// A mutex in two modes.
// contracts/sync.h is the specification; this file is step 3 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/sync.h"

namespace goro {

// Step 3: spin, queue, starve.
void mutex_lock_slow(MutexWords* /*m*/) {
  GORO_NOT_IMPLEMENTED(11, 3);
}

// Step 3: wake one, or hand it over.
void mutex_unlock_slow(MutexWords* /*m*/, std::int32_t /*now*/) {
  GORO_NOT_IMPLEMENTED(11, 3);
}

}  // namespace goro
