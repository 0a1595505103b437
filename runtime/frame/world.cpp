#include "frame/world.h"

#include "contracts/model.h"
#include "contracts/processors.h"
#include "contracts/services/goroutine.h"
#include "frame/invariants.h"
#include "frame/one_p.h"
#include "frame/trace.h"
#include "goro/run.h"

namespace goro {

void with_stopped_world_do(void (*f)(void*), void* arg, std::int32_t procs) {
  // Whoever has it may need this P to stop: give it up in between.
  while (!sched.world_lock.try_lock()) yield();
  systemstack([&] {
    stop_the_world();
    trace_thread(trace::Kind::world_stops);
    sched.lock.lock();
    check_queues("stop_the_world");
    sched.lock.unlock();
    f(arg);
    trace_thread(trace::Kind::world_starts);
    const std::int32_t after =
        procs != 0 ? procs : sched.gomaxprocs.load(std::memory_order_relaxed);
    set_one_p(after == 1);
    start_the_world(after);
  });
  sched.world_lock.unlock();
}

}  // namespace goro
