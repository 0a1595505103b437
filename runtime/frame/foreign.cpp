// goro::ForeignThread.
#include "goro/foreign_thread.h"

#include "contracts/model.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/threads.h"
#include "frame/foreign.h"

namespace goro {

namespace {

// Not part of sched: a guard may be older than the run.
atomic<int> guards{0};

}  // namespace

bool foreign_threads_exist() {
  return guards.load(std::memory_order_seq_cst) != 0;
}

ForeignThread::ForeignThread() {
  guards.fetch_add(1, std::memory_order_seq_cst);
}

ForeignThread::~ForeignThread() {
  if (guards.fetch_sub(1, std::memory_order_seq_cst) != 1) return;
  // Everybody may have gone to sleep while we were counted: nobody else would look again.
  systemstack([] {
    sched.lock.lock();
    if (allm != nullptr) checkdead();
    sched.lock.unlock();
  });
}

}  // namespace goro
