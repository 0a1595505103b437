// Waiters and those who wake them. Go: proc.go (goready, injectglist).
#include "contracts/services/waiting.h"

#include <algorithm>
#include <new>

#include "contracts/channel.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/futex.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/threads.h"
#include "frame/gaps.h"
#include "frame/threads.h"
#include "frame/trace.h"
#include "frame/waiting.h"
#include "goro/panic.h"

namespace goro {

namespace {

// Sudogs are made many at a time, in gaps between stacks while there are some, and given back
// together when the run ends.
struct Chunk {
  Chunk* next;
  std::size_t room;
  bool is_gap;  // it goes with the stacks
  std::size_t used = 0;
  Sudog* sudogs() { return reinterpret_cast<Sudog*>(this + 1); }
};

RuntimeMutex chunks_lock;  // taken before the page heap's
Chunk* chunks = nullptr;

// Under chunks_lock.
Chunk* next_chunk() {
  constexpr std::size_t kBytes = std::size_t{4} << 10;
  const Stack gap = take_gap();
  const bool is_gap = gap.lo != 0;
  void* at = is_gap ? reinterpret_cast<void*>(gap.lo) : ::operator new(kBytes);
  const std::size_t bytes = is_gap ? gap.size() : kBytes;
  return new (at) Chunk{chunks, (bytes - sizeof(Chunk)) / sizeof(Sudog), is_gap};
}

// Threads without a P that are making goroutines runnable (ready_from_outside, injectglist). The
// goroutine that they make runnable may be all that the end of the run waits for; they are not done
// then.
atomic<int> readying{0};

// This thread has no P, so there is no local queue to put gp into.
void ready_from_outside(G* gp) {
  readying.fetch_add(1, std::memory_order_seq_cst);
  trace_goroutine(trace::Kind::readied, gp);
  casgstatus(gp, GStatus::waiting, GStatus::runnable);
  sched.lock.lock();
  globrunq_put(gp);
  // It may compute, and perhaps nobody else runs.
  sysmon_wake();
  sched.lock.unlock();
  // As in wakep: whoever gives up a P counts it first and looks at the GRQ then. But nobody is made
  // to spin: that M would have to be counted by somebody who is one.
  if (sched.npidle.load(std::memory_order_seq_cst) != 0 &&
      !sched.stopping.load(std::memory_order_seq_cst)) {
    startm(nullptr, false);
  }
  readying.fetch_sub(1, std::memory_order_seq_cst);
}

// An M for each of so many idle Ps; for none when a P is not idle any more: then whoever has it
// looks at the GRQ before it gives it up (pidleget_spinning).
void start_idle(std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i) {
    sched.lock.lock();
    P* pp = pidleget_spinning();
    sched.lock.unlock();
    if (pp == nullptr) return;
    startm(pp, false);
  }
}

// The first `count` of `from`, for everybody.
void inject_globally(GQueue* from, std::int32_t count) {
  GQueue batch;
  for (std::int32_t i = 0; i < count; ++i) batch.push_back(from->pop());
  sched.lock.lock();
  globrunq_put_batch(&batch, count);
  sched.lock.unlock();
}

// A thread that is not the runtime's, where it sleeps. Its sudog has no goroutine.
struct OutsideWaiter : Sudog {
  atomic<std::uint32_t> woken{0};
};

void wake_thread(Sudog* sg) {
  auto* word = &static_cast<OutsideWaiter*>(sg)->woken;
  word->store(1, std::memory_order_release);
  // The thread may be gone by now; to wake whoever sleeps at that address for nothing is harmless.
  futex_wakeup(word, 1);
}

// Threads stay: they do not end with the run.
void forget_goroutines(Waitq* q) {
  Sudog* next = nullptr;
  for (Sudog* sg = q->first.load(std::memory_order_relaxed); sg != nullptr; sg = next) {
    next = sg->next;
    if (sg->g == nullptr) continue;
    q->dequeue_sudog(sg);
    sg->c = nullptr;
  }
}

// Has pp's ring room for what is kicked out of runnext?
bool has_room(const P* pp) {
  return pp->runqtail.load(std::memory_order_relaxed) -
             pp->runqhead.load(std::memory_order_relaxed) <
         kRunqSize;
}

}  // namespace

bool is_outside() {
  const G* gp = getg();
  if (gp == nullptr) return true;
  if (gp->stack_kind != StackKind::system) return false;
  const G* running = gp->m->curg.load(std::memory_order_relaxed);
  return running != nullptr && (running->atomicstatus.load(std::memory_order_relaxed) & ~kGScan) ==
                                   static_cast<std::uint32_t>(GStatus::syscall);
}

Sudog* sudog_alloc() {
  chunks_lock.lock();
  if (chunks == nullptr || chunks->used == chunks->room) chunks = next_chunk();
  auto* s = new (&chunks->sudogs()[chunks->used++]) Sudog;
  chunks_lock.unlock();
  return s;
}

bool nobody_outside_readies() {
  return readying.load(std::memory_order_seq_cst) == 0;
}

void sudogs_reset() {
  // A channel can outlive the run, or be used in the next one: it forgets those who waited.
  for (Chunk* chunk = chunks; chunk != nullptr; chunk = chunk->next) {
    for (std::size_t i = 0; i < chunk->used; ++i) {
      Hchan* c = chunk->sudogs()[i].c;
      if (c == nullptr) continue;
      forget_goroutines(&c->recvq);
      forget_goroutines(&c->sendq);
    }
  }
  while (chunks != nullptr) {
    Chunk* chunk = chunks;
    chunks = chunk->next;
    if (!chunk->is_gap) ::operator delete(chunk);
  }
}

void injectglist(GQueue* parked) {
  GQueue ready;
  std::int32_t count = 0;
  while (G* gp = parked->pop()) {
    trace_goroutine(trace::Kind::readied, gp);
    casgstatus(gp, GStatus::waiting, GStatus::runnable);
    ready.push_back(gp);
    ++count;
  }
  if (count == 0) return;
  P* pp = getm()->p;
  if (pp == nullptr) {
    readying.fetch_add(1);
    inject_globally(&ready, count);
    start_idle(count);
    readying.fetch_sub(1);
    return;
  }
  const std::int32_t for_others = std::min(count, sched.npidle.load());
  if (for_others > 0) {
    inject_globally(&ready, for_others);
    start_idle(for_others);
  }
  count -= for_others + runq_put_batch(pp, &ready);
  if (count > 0) inject_globally(&ready, count);
  // A P may have become idle since we looked.
  wakep();
}

// `handovers`: how many of those that somebody may watch this is.
static inline void wake_for(G* gp, std::uint32_t handovers) {
  const G* self = getg();
  if (self == nullptr || self->stack_kind == StackKind::system) {
    if (is_outside()) {
      ready_from_outside(gp);
    } else {
      trace_goroutine(trace::Kind::readied, gp);
      ready(gp);
    }
    return;
  }
  gp->prefetch_stack();  // it is the next to run here, and that is a while yet
  // Most often nobody has to be woken but gp, because no P is idle or somebody spins, and that
  // needs little room: then it is done here, without going to g0.
  M* mp = acquirem();
  trace_goroutine(trace::Kind::readied, gp);
  mp->p->handovers = mp->p->handovers + handovers;
  const bool nobody_else = sched.npidle.load(std::memory_order_relaxed) == 0 ||
                           sched.nmspinning.load(std::memory_order_relaxed) != 0;
  if (nobody_else && has_room(mp->p)) {
    ready(gp);
  } else {
    goready(gp);
  }
  releasem(mp);
}

void wake(G* gp) {
  wake_for(gp, 0);
}

void wake_waiter(Sudog* sg) {
  if (G* gp = sg->g; gp != nullptr) {
    gp->param = sg;
    wake_for(gp, 1);
  } else {
    wake_thread(sg);
  }
}

void wake_to_look_again(Sudog* sg) {
  if (sg->g != nullptr) {
    wake(sg->g);
  } else {
    wake_thread(sg);
  }
}

bool wait_outside(Hchan* c, Waitq* q, void* elem) {
  OutsideWaiter waiter;
  waiter.c = c;
  waiter.elem = elem;
  q->enqueue(&waiter);
  c->lock.unlock();
  // acquire: the value, and success, were written before.
  while (waiter.woken.load(std::memory_order_acquire) == 0) futex_sleep(&waiter.woken, 0);
  return waiter.success;
}

G* waiting_goroutine() {
  G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    throw_panic("a goroutine's operation outside of goro::run");
  }
  return gp;
}

[[noreturn]] void park_for_ever(WaitReason reason) {
  waiting_goroutine();
  for (;;) gopark(nullptr, nullptr, reason);
}

[[noreturn, gnu::noinline]] void throw_panic(const char* text) {
  throw Panic(text);
}

}  // namespace goro
