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
#include "goro/run.h"

namespace goro {

namespace {

// Go: active_spin, active_spin_cnt.

int processors() {
  static const int count = num_cpu();
  return count;
}

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

bool can_spin(int tries) {
  const M* mp = getm();
  if (mp == nullptr || tries >= kActiveSpin) return false;
  if (sched.gomaxprocs.load(std::memory_order_relaxed) <=
      sched.npidle.load(std::memory_order_relaxed) +
          sched.nmspinning.load(std::memory_order_relaxed) + 1) {
    return false;
  }
  P* pp = mp->p;
  if (!runq_empty(pp)) return false;
  bool several = false;
  systemstack([&] { several = processors() > 1; });
  return several;
}

void do_spin() {
  for (int i = 0; i < kActiveSpinCount; ++i) cpu_relax();
}

void mutex_lock(MutexWords* m) {
  std::int32_t unlocked = 0;
  if (!m->state.compare_exchange_strong(unlocked, kMutexLocked, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
    mutex_lock_slow(m);
  }
}

void mutex_unlock(MutexWords* m) {
  const std::int32_t now =
      m->state.fetch_sub(kMutexLocked, std::memory_order_release) - kMutexLocked;
  if (now != 0) mutex_unlock_slow(m, now);
}

bool RWMutex::try_lock() {
  std::int32_t unlocked = 0;
  if (!words_.w.state.compare_exchange_strong(unlocked, kMutexLocked, std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
    return false;
  }
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
