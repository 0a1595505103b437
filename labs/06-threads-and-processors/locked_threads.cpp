// Goroutines that keep their thread. contracts/processors.h is the specification; this is step 5 of
// this lab's README.
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/processors.h"
#include "contracts/services/fatal.h"
#include "contracts/services/threads.h"
#include "contracts/syscall.h"

namespace goro {

// Step 5. Counts, and links goroutine and M.
bool dolock_os_thread() {
  GORO_NOT_IMPLEMENTED(6, 5);
}

// Step 5. Counts down; the last one cuts the link.
void dounlock_os_thread() {
  GORO_NOT_IMPLEMENTED(6, 5);
}

// Step 5. Ms that wait for their goroutine, for checkdead.
void incidlelocked(std::int32_t /*v*/) {
  GORO_NOT_IMPLEMENTED(6, 5);
}

// Step 5. Gives the P away, sleeps, and has a P again when the goroutine can run.
void stoplockedm() {
  GORO_NOT_IMPLEMENTED(6, 5);
}

// Step 5. This M's P to the M that gp belongs to.
void startlockedm(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(6, 5);
}

}  // namespace goro
