// The local run queue: one producer, many consumers, no lock. contracts/run_queue.h is the specification.
#include "contracts/run_queue.h"

#include "contracts/not_implemented.h"
#include "contracts/scheduler.h"
#include "contracts/services/fatal.h"

namespace goro {

void runq_put(P* /*pp*/, G* /*gp*/, bool /*next*/) {
  GORO_NOT_IMPLEMENTED(4, 1);
}

G* runq_get(P* /*pp*/, bool* /*inherit_time*/) {
  GORO_NOT_IMPLEMENTED(4, 2);
}

bool runq_empty(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(4, 3);
}

bool runq_put_slow(P* /*pp*/, G* /*gp*/, std::uint32_t /*head*/, std::uint32_t /*tail*/) {
  GORO_NOT_IMPLEMENTED(4, 4);
}

std::int32_t runq_put_batch(P* /*pp*/, GQueue* /*queue*/) {
  GORO_NOT_IMPLEMENTED(4, 5);
}

}  // namespace goro
