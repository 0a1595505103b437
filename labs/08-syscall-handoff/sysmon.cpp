// The one thread that runs without a P, and so is never behind one.
// contracts/syscall.h is the specification; this file is step 5 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/syscall.h"

namespace goro {

// Step 5. How long sysmon pauses before its next round, in microseconds.
std::uint32_t sysmon_delay(int /*idle*/, std::uint32_t /*last*/) {
  GORO_NOT_IMPLEMENTED(8, 5);
}

// Step 5. One look at every P: slices that are over, calls that last.
int retake(std::int64_t /*now*/) {
  GORO_NOT_IMPLEMENTED(8, 5);
}

// Step 5. Pause, sleep if everybody rests, look.
void sysmon() {
  GORO_NOT_IMPLEMENTED(8, 5);
}

}  // namespace goro
