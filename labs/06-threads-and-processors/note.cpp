// A note: one word that a thread sleeps on in the kernel.
// contracts/processors.h is the specification; this file is step 1 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/processors.h"

namespace goro {

void Note::wakeup() {
  GORO_NOT_IMPLEMENTED(6, 1);
}

void Note::sleep() {
  GORO_NOT_IMPLEMENTED(6, 1);
}

bool Note::sleep_for(std::int64_t /*nanoseconds*/) {
  GORO_NOT_IMPLEMENTED(6, 1);
}

}  // namespace goro
