// The global run queue: a plain queue under sched.lock, emptied a fair share at a time.
#include <algorithm>

#include "contracts/run_queue.h"
#include "contracts/scheduler.h"

namespace goro {

// Written under sched.lock only, so a load and a store will do; atomic because find_runnable looks
// without the lock.
static void add_to_runqsize(std::int32_t n) {
  sched.runqsize.store(sched.runqsize.load(std::memory_order_relaxed) + n,
                       std::memory_order_relaxed);
}

void globrunq_put(G* gp) {
  sched.runq.push_back(gp);
  add_to_runqsize(1);
}

void globrunq_put_batch(GQueue* batch, std::int32_t n) {
  sched.runq.push_back_all(batch);
  add_to_runqsize(n);
}

G* globrunq_get() {
  G* gp = sched.runq.pop();
  if (gp != nullptr) add_to_runqsize(-1);
  return gp;
}

// [get_batch]
G* globrunq_get_batch(P* pp, std::int32_t n) {
  const std::int32_t size = sched.runqsize.load(std::memory_order_relaxed);
  if (size == 0) return nullptr;
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_relaxed);
  // A share for every P, one at least: whoever comes first must not leave the others without work.
  // One P gets all; no division then, which takes as long as the rest of this function.
  const std::int32_t share = procs == 1 ? size : size / procs + 1;
  n = std::min({n, size, share});
  G* first = sched.runq.pop();
  GQueue rest = sched.runq.pop_front(n - 1);
  add_to_runqsize(-n);
  runq_put_batch(pp, &rest);
  return first;
}
// [/get_batch]

}  // namespace goro
