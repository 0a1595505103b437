// The local run queue: one producer, many consumers, no lock. contracts/run_queue.h is the
// specification, and says which memory order each access needs.
#include "contracts/run_queue.h"

#include "contracts/not_implemented.h"
#include "contracts/scheduler.h"
#include "contracts/services/fatal.h"

namespace goro {

// Step 1. Into runnext, or on the tail of the ring; runq_put_slow when the ring is full.
void runq_put(P* /*pp*/, G* /*gp*/, bool /*next*/) {
  GORO_NOT_IMPLEMENTED(4, 1);
}

// Step 2. From runnext, or else from the head of the ring, which thieves move too.
G* runq_get(P* /*pp*/, bool* /*inherit_time*/) {
  GORO_NOT_IMPLEMENTED(4, 2);
}

// Step 3. Overflow: the oldest 128 and gp go to the GRQ.
bool runq_put_slow(P* /*pp*/, G* /*gp*/, std::uint32_t /*head*/, std::uint32_t /*tail*/) {
  GORO_NOT_IMPLEMENTED(4, 3);
}

// Step 4. As many as fit, visible all at once.
std::int32_t runq_put_batch(P* /*pp*/, GQueue* /*queue*/) {
  GORO_NOT_IMPLEMENTED(4, 4);
}

// Step 5. Three reads that must be of one moment.
bool runq_empty(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(4, 5);
}

}  // namespace goro
