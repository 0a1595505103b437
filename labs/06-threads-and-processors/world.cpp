// Stopping the world, and the number of Ps. contracts/processors.h is the specification; this is
// step 4 of this lab's README.
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/random.h"
#include "contracts/services/threads.h"
#include "contracts/stack.h"
#include "contracts/syscall.h"
#include "contracts/work_stealing.h"

namespace goro {

// Step 4. Makes Ps, empties Ps, and finds an M for each that has work.
P* procresize(std::int32_t /*n*/) {
  GORO_NOT_IMPLEMENTED(6, 4);
}

// Step 4. Every P but this M's own gives way, or is taken.
void stop_the_world() {
  GORO_NOT_IMPLEMENTED(6, 4);
}

// Step 4. Everybody goes on, with as many Ps as were asked for.
void start_the_world(std::int32_t /*procs*/) {
  GORO_NOT_IMPLEMENTED(6, 4);
}

// Step 4. An M's part of a stop.
void gcstopm() {
  GORO_NOT_IMPLEMENTED(6, 4);
}

}  // namespace goro
