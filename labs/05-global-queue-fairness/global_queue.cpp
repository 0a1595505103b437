// The global run queue (GRQ). contracts/scheduler.h is the specification; the steps are those of
// this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"

namespace goro {

// Step 1: one goroutine to the tail of sched.runq; sched.runqsize counts it.
void globrunq_put(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(5, 1);
}

// Step 1: n goroutines to the tail, in order; the batch is empty afterwards.
void globrunq_put_batch(GQueue* /*batch*/, std::int32_t /*n*/) {
  GORO_NOT_IMPLEMENTED(5, 1);
}

// Step 1: the goroutine that has waited longest, or null.
G* globrunq_get() {
  GORO_NOT_IMPLEMENTED(5, 1);
}

// Step 2: a P's fair share. The first is returned, the rest goes to the P's ring.
G* globrunq_get_batch(P* /*pp*/, std::int32_t /*n*/) {
  GORO_NOT_IMPLEMENTED(5, 2);
}

}  // namespace goro
