// Goroutines that keep their thread.
// contracts/processors.h is the specification; this file is step 5 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/processors.h"

namespace goro {

bool dolock_os_thread() {
  GORO_NOT_IMPLEMENTED(6, 5);
}

void dounlock_os_thread() {
  GORO_NOT_IMPLEMENTED(6, 5);
}

void incidlelocked(std::int32_t /*v*/) {
  GORO_NOT_IMPLEMENTED(6, 5);
}

void stoplockedm() {
  GORO_NOT_IMPLEMENTED(6, 5);
}

void startlockedm(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(6, 5);
}

}  // namespace goro
