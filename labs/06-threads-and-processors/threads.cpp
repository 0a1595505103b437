// Starting, stopping and waking Ms. contracts/processors.h is the specification; this is step 3 of
// this lab's README.
#include "contracts/services/threads.h"
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"

namespace goro {

// Step 3. A P, an M, and a wake-up; a new thread when no M is idle.
void startm(P* /*pp*/, bool /*spinning*/) {
  GORO_NOT_IMPLEMENTED(6, 3);
}

// Step 3. Among the idle Ms, asleep, and then with the P that it was given.
void stopm() {
  GORO_NOT_IMPLEMENTED(6, 3);
}

// Step 3. One spinning M, if a P is idle and nobody spins. Called at every go statement.
void wakep() {
  GORO_NOT_IMPLEMENTED(6, 3);
}

}  // namespace goro
