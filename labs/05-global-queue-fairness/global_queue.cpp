// The global run queue. contracts/scheduler.h is the specification.
#include "contracts/not_implemented.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"

namespace goro {

void globrunq_put(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(5, 1);
}

void globrunq_put_batch(GQueue* /*batch*/, std::int32_t /*n*/) {
  GORO_NOT_IMPLEMENTED(5, 1);
}

G* globrunq_get() {
  GORO_NOT_IMPLEMENTED(5, 1);
}

G* globrunq_get_batch(P* /*pp*/, std::int32_t /*n*/) {
  GORO_NOT_IMPLEMENTED(5, 2);
}

}  // namespace goro
