// Starting, stopping and waking Ms.
//
// An M is never told what to run. It is given a P (nextp) and woken; then it looks for itself. So
// it does not matter which M wakes up, nor how late: whatever was runnable is still in a queue.
#include "contracts/services/threads.h"
#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/scheduling.h"

namespace goro {

// [startm]
void startm(P* pp, bool spinning) {
  sched.lock.lock();
  if (pp == nullptr) {
    if (spinning) fatal("startm: P required for spinning=true");
    pp = pidleget();
    if (pp == nullptr) {
      sched.lock.unlock();
      return;
    }
  }
  M* mp = mget();
  if (mp == nullptr) {
    // Counted before the lock is released: the P is in nobody's hands until the thread runs, and
    // checkdead must not take that for the end.
    const std::int64_t id = m_reserve_id();
    sched.lock.unlock();
    newm(pp, spinning, id);
    return;
  }
  sched.lock.unlock();
  if (mp->spinning) fatal("startm: m is spinning");
  if (mp->nextp != nullptr) fatal("startm: m has p");
  if (spinning && !runq_empty(pp)) fatal("startm: p has runnable gs");
  mp->spinning = spinning;
  mp->nextp = pp;
  mp->park.wakeup();
}
// [/startm]

void stopm() {
  M* mp = getm();
  if (mp->p != nullptr) fatal("stopm holding p");
  if (mp->spinning) fatal("stopm spinning");
  sched.lock.lock();
  mput(mp);
  check_invariants("stopm");
  sched.lock.unlock();
  mpark();
  P* pp = mp->nextp;
  mp->nextp = nullptr;
  acquirep(pp);
}

// [wake_one]
// Apart from wakep, so that its usual way is a load and a comparison without a frame.
__attribute__((noinline)) static void wake_one() {
  std::int32_t none = 0;
  if (!sched.nmspinning.compare_exchange_strong(none, 1)) return;
  sched.lock.lock();
  P* pp = pidleget_spinning();
  if (pp == nullptr) {
    if (sched.nmspinning.fetch_sub(1) <= 0) fatal("wakep: negative nmspinning");
    sched.lock.unlock();
    return;
  }
  sched.lock.unlock();
  startm(pp, true);
}
// [/wake_one]

// [wakep]
void wakep() {
  // The goroutine that the caller made runnable is in its queue: in runnext by a seq_cst exchange,
  // or in the GRQ under sched.lock. An M that goes idle counts its P first (npidle, seq_cst) and
  // looks at the queues then. So if we see no idle P, it will see the goroutine.
  if (sched.npidle.load(std::memory_order_seq_cst) == 0) return;
  // The same with an M that spins: it counts itself out first and looks at the queues then.
  if (sched.nmspinning.load(std::memory_order_seq_cst) != 0) return;
  wake_one();
}
// [/wakep]

}  // namespace goro
