// Between goro/sync.h and slot 11.
#include "goro/sync.h"

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "contracts/sync.h"
#include "frame/trace.h"

namespace goro {

namespace {

// An mcall function. Go: goyield_m.
[[noreturn]] void goyield_m(G* gp) {
  trace_stop(trace::Kind::yields, gp);
  casgstatus(gp, GStatus::running, GStatus::runnable);
  dropg();
  runq_put(getm()->p, gp, false);
  schedule();
}

}  // namespace

void goyield() {
  mcall(goyield_m);
}

bool RWMutex::try_lock() {
  if (!mutex_try_lock(&words_.w)) return false;
  std::int32_t readers = 0;
  if (words_.reader_count.compare_exchange_strong(
          readers, -kRWMutexMaxReaders, std::memory_order_acquire, std::memory_order_relaxed)) {
    return true;
  }
  mutex_unlock(&words_.w);
  return false;
}

namespace detail {

NotifyList* notify_list_new() {
  return new NotifyList;
}

void notify_list_delete(NotifyList* list) {
  delete list;
}

void semaphore_acquire(Atomic<std::uint32_t>* count) {
  semacquire1(count, false, WaitReason::semacquire);
}

bool semaphore_try_acquire(Atomic<std::uint32_t>* count) {
  return cansemacquire(count);
}

void semaphore_release(Atomic<std::uint32_t>* count) {
  semrelease1(count, false);
}

}  // namespace detail

}  // namespace goro
