// The local run queue: one producer, many consumers, no lock.
//
// Why a ring with a head that is claimed and a tail that is published: the owner puts and takes
// without ever waiting for a thief, and a thief that loses the race for the head has lost nothing
// but time. Why runnext beside it: the goroutine that was just made runnable most likely wants what
// the running one just produced; running it next, while that is in the cache, makes a pair that
// talks as fast as a call.
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/fatal.h"

namespace goro {

// [put]
void runq_put(P* pp, G* gp, bool next) {
  if (next) {
    // A thief may take runnext away between a load and a store, hence the exchange. seq_cst: see
    // wakep.
    G* old = pp->runnext.exchange(gp, std::memory_order_seq_cst);
    if (old == nullptr) return;
    gp = old;  // kicked out to the tail
  }
  for (;;) {
    // acquire: a consumer has read its slot before we may see its head and write there again.
    const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
    const std::uint32_t tail = pp->runqtail.load(std::memory_order_relaxed);  // only we write it
    if (tail - head < kRunqSize) {
      pp->runq[tail % kRunqSize].store(gp, std::memory_order_relaxed);
      // release: whoever sees the new tail sees the slot.
      pp->runqtail.store(tail + 1, std::memory_order_release);
      return;
    }
    if (runq_put_slow(pp, gp, head, tail)) return;
    // The head moved on: there is room now.
  }
}
// [/put]

// [put_slow]
bool runq_put_slow(P* pp, G* gp, std::uint32_t head, std::uint32_t tail) {
  std::uint32_t n = tail - head;
  if (n != kRunqSize) fatal("runq_put_slow: queue is not full");
  n /= 2;
  G* taken[kRunqSize / 2];
  for (std::uint32_t i = 0; i < n; ++i) {
    taken[i] = pp->runq[(head + i) % kRunqSize].load(std::memory_order_relaxed);
  }
  // Only now are they ours: until the head moves, a thief could claim the same slots.
  if (!pp->runqhead.compare_exchange_strong(head, head + n, std::memory_order_release,
                                            std::memory_order_relaxed)) {
    return false;
  }
  GQueue batch;
  for (std::uint32_t i = 0; i < n; ++i) batch.push_back(taken[i]);
  batch.push_back(gp);
  sched.lock.lock();
  globrunq_put_batch(&batch, static_cast<std::int32_t>(n) + 1);
  sched.lock.unlock();
  return true;
}
// [/put_slow]

std::int32_t runq_put_batch(P* pp, GQueue* queue) {
  const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
  std::uint32_t tail = pp->runqtail.load(std::memory_order_relaxed);
  std::int32_t n = 0;
  while (!queue->empty() && tail - head < kRunqSize) {
    pp->runq[tail % kRunqSize].store(queue->pop(), std::memory_order_relaxed);
    ++tail;
    ++n;
  }
  pp->runqtail.store(tail, std::memory_order_release);  // one store makes all of them visible
  return n;
}

// [get]
G* runq_get(P* pp, bool* inherit_time) {
  G* next = pp->runnext.load(std::memory_order_relaxed);
  // One try: only we put a goroutine there, so if it is gone, a thief has it, and nothing came
  // after.
  if (next != nullptr && pp->runnext.compare_exchange_strong(next, nullptr)) {
    *inherit_time = true;
    return next;
  }
  *inherit_time = false;
  for (;;) {
    // acquire: agrees with other consumers on who took what.
    std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
    const std::uint32_t tail = pp->runqtail.load(std::memory_order_relaxed);
    if (tail == head) return nullptr;
    G* gp = pp->runq[head % kRunqSize].load(std::memory_order_relaxed);
    // release: our read of the slot comes before anyone sees the head move.
    if (pp->runqhead.compare_exchange_strong(head, head + 1, std::memory_order_release,
                                             std::memory_order_relaxed)) {
      return gp;
    }
  }
}
// [/get]

// [empty]
bool runq_empty(P* pp) {
  for (;;) {
    const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
    const std::uint32_t tail = pp->runqtail.load(std::memory_order_acquire);
    const G* next = pp->runnext.load(std::memory_order_seq_cst);
    // If the tail is where it was, nothing was kicked out of runnext while we looked: the three
    // values were true at one moment.
    if (tail == pp->runqtail.load(std::memory_order_acquire)) {
      return head == tail && next == nullptr;
    }
  }
}
// [/empty]

}  // namespace goro
