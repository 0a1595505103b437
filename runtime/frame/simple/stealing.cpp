// Work from other Ps. Go: proc.go (runqgrab, runqsteal, stealWork).
#include "contracts/getg.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/scheduling.h"
#include "frame/simple/simple.h"

namespace goro {

namespace {

constexpr int kStealRounds = 4;

std::uint32_t cheaprand(P* pp) {
  // xorshift; the state is never 0.
  std::uint32_t x = pp->random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  pp->random = x;
  return x;
}

// Half of the victim's ring, rounded up, into pp's empty ring; the last of them is returned
// instead. With take_next, a victim with an empty ring gives its runnext.
G* runq_steal(P* pp, P* victim, bool take_next) {
  const std::uint32_t to = pp->runqtail.load(std::memory_order_relaxed);
  for (;;) {
    std::uint32_t head = victim->runqhead.load(std::memory_order_acquire);
    const std::uint32_t tail = victim->runqtail.load(std::memory_order_acquire);
    std::uint32_t n = tail - head;
    n -= n / 2;
    if (n == 0) {
      if (!take_next) return nullptr;
      G* next = victim->runnext.load(std::memory_order_relaxed);
      if (next == nullptr || !victim->runnext.compare_exchange_strong(next, nullptr))
        return nullptr;
      return next;
    }
    if (n > kRunqSize / 2) continue;  // head and tail are not of one moment
    for (std::uint32_t i = 0; i < n; ++i) {
      pp->runq[(to + i) % kRunqSize].store(
          victim->runq[(head + i) % kRunqSize].load(std::memory_order_relaxed),
          std::memory_order_relaxed);
    }
    if (victim->runqhead.compare_exchange_strong(head, head + n, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
      --n;
      G* gp = pp->runq[(to + n) % kRunqSize].load(std::memory_order_relaxed);
      if (n != 0) pp->runqtail.store(to + n, std::memory_order_release);
      return gp;
    }
  }
}

void stop_spinning(M* mp) {
  if (!mp->spinning) return;
  mp->spinning = false;
  sched.nmspinning.fetch_sub(1, std::memory_order_seq_cst);
}

}  // namespace

G* find_work_elsewhere() {
  leave_if_asked();
  M* mp = getm();
  P* pp = mp->p;
  const auto procs = static_cast<std::uint32_t>(sched.gomaxprocs.load(std::memory_order_relaxed));
  if (procs > 1) {
    if (!mp->spinning) {
      mp->spinning = true;
      sched.nmspinning.fetch_add(1, std::memory_order_seq_cst);
    }
    for (int round = 0; round < kStealRounds; ++round) {
      const std::uint32_t start = cheaprand(pp);
      for (std::uint32_t i = 0; i < procs; ++i) {
        P* victim = allp[(start + i) % procs];
        if (victim == pp) continue;
        if (G* gp = runq_steal(pp, victim, round == kStealRounds - 1); gp != nullptr) return gp;
      }
    }
  }

  sched.lock.lock();
  if (sched.gcwaiting.load(std::memory_order_relaxed) ||
      sched.stopping.load(std::memory_order_relaxed)) {
    sched.lock.unlock();
    stop_spinning(mp);
    leave_if_asked();
    return nullptr;
  }
  if (G* gp = globrunq_get_batch(pp, kRunqSize / 2); gp != nullptr) {
    sched.lock.unlock();
    return gp;
  }
  releasep();
  pidle_put(pp);
  sched.lock.unlock();
  stop_spinning(mp);

  // Somebody may have put a goroutine into a queue after we looked and before they could see that
  // we are idle (npidle) or no longer looking (nmspinning): then nobody woke us, so look once more.
  for (std::uint32_t i = 0; i < procs; ++i) {
    if (runq_empty(allp[i])) continue;
    sched.lock.lock();
    pp = sched.gcwaiting.load() || sched.stopping.load() ? nullptr : pidle_get();
    if (pp == nullptr) break;  // others have the idle Ps; they will look. Still holding the lock.
    sched.lock.unlock();
    acquirep(pp);
    mp->spinning = true;
    sched.nmspinning.fetch_add(1, std::memory_order_seq_cst);
    return nullptr;
  }
  if (pp != nullptr) sched.lock.lock();
  stopm();
  return nullptr;
}

}  // namespace goro
