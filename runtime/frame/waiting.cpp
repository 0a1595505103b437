// Waiters and those who wake them. Go: proc.go (goready, injectglist).
#include "contracts/services/waiting.h"

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/threads.h"
#include "frame/waiting.h"
#include "goro/panic.h"

namespace goro {

namespace {

// Sudogs are made many at a time, and given back together when the run ends.
struct Chunk {
  static constexpr int kSudogs = 64;
  Chunk* next = nullptr;
  int used = 0;
  Sudog sudogs[kSudogs];
};

RuntimeMutex chunks_lock;
Chunk* chunks = nullptr;

// This thread has no P, so there is no local queue to put gp into.
void ready_from_outside(G* gp) {
  casgstatus(gp, GStatus::waiting, GStatus::runnable);
  sched.lock.lock();
  globrunq_put(gp);
  sched.lock.unlock();
  // As in wakep: whoever gives up a P counts it first and looks at the GRQ then. But nobody is made
  // to spin: that M would have to be counted by somebody who is one.
  if (sched.npidle.load(std::memory_order_seq_cst) != 0) startm(nullptr, false);
}

}  // namespace

Sudog* sudog_alloc() {
  chunks_lock.lock();
  if (chunks == nullptr || chunks->used == Chunk::kSudogs) {
    auto* chunk = new Chunk;
    chunk->next = chunks;
    chunks = chunk;
  }
  Sudog* s = &chunks->sudogs[chunks->used++];
  chunks_lock.unlock();
  return s;
}

void sudogs_reset() {
  while (chunks != nullptr) {
    Chunk* chunk = chunks;
    chunks = chunk->next;
    delete chunk;
  }
}

void wake(G* gp) {
  if (getg() == nullptr) {
    ready_from_outside(gp);
  } else {
    goready(gp);
  }
}

[[noreturn, gnu::noinline]] void throw_panic(const char* text) {
  throw Panic(text);
}

}  // namespace goro
