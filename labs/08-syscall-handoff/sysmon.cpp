// The one thread that runs without a P, and so is never behind one.
// contracts/syscall.h is the specification; this file is step 3 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/syscall.h"

namespace goro {

std::uint32_t sysmon_delay(int /*idle*/, std::uint32_t /*last*/) {
  GORO_NOT_IMPLEMENTED(8, 3);
}

int retake(std::int64_t /*now*/) {
  GORO_NOT_IMPLEMENTED(8, 3);
}

void sysmon() {
  GORO_NOT_IMPLEMENTED(8, 3);
}

}  // namespace goro
