#include "frame/spin.h"

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "goro/run.h"

namespace goro {

namespace {

int processors() {
  static const int count = num_cpu();
  return count;
}

void pause(int times) {
  for (int i = 0; i < times; ++i) cpu_relax();
}

// May whoever has the mutex be running at this moment?
bool owner_may_run() {
  if (getm() == nullptr || sched.gomaxprocs.load(std::memory_order_relaxed) <=
                               sched.npidle.load(std::memory_order_relaxed) +
                                   sched.nmspinning.load(std::memory_order_relaxed) + 1) {
    return false;
  }
  bool several = false;
  systemstack([&] { several = processors() > 1; });
  return several;
}

}  // namespace

bool can_spin(int tries) {
  return tries < kActiveSpin && owner_may_run() && runq_empty(getm()->p);
}

void do_spin() {
  pause(kActiveSpinCount);
}

void stand_back(const MutexWords* m) {
#if GORO_SIMULATE
  if (sim::active) return;  // its pauses would be a thousand steps of a schedule
#endif
  if (!owner_may_run()) return;
  stand_back_by(m, pause);
}

}  // namespace goro
