// A note: one word that a thread sleeps on in the kernel. contracts/processors.h is the
// specification; this is step 1 of this lab's README.
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/processors.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/futex.h"

namespace goro {

// Step 1. 0 becomes 1, and whoever sleeps on the word wakes up. The order matters.
void Note::wakeup() {
  GORO_NOT_IMPLEMENTED(6, 1);
}

// Step 1. Until the word is 1, in the kernel.
void Note::sleep() {
  GORO_NOT_IMPLEMENTED(6, 1);
}

// Step 1. The same with a deadline. Is the word 1?
bool Note::sleep_for(std::int64_t /*nanoseconds*/) {
  GORO_NOT_IMPLEMENTED(6, 1);
}

}  // namespace goro
