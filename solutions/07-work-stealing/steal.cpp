// Taking half of another P's queue.
//
// The thief copies first and claims then: one compare-and-swap of the head says that nobody else
// took a slot of the range in between, so what was copied is what was claimed. Half, because the
// victim works too; rounded up, because one goroutine in a ring is worth taking.
//
// runnext is different. Its P is most likely about to run it: a goroutine that hands something over
// readies the receiver and blocks right afterwards. Stolen in that moment, the pair would move from
// processor to processor with every message. So it is touched last, and after a pause: 3 µs is many
// times what a hand-over takes. The pause is a sleep, not a spin. On a machine with more threads
// than processors the victim's thread may just not be on a processor, and a thief that spins might
// be what keeps it off.
#include "contracts/run_queue.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/work_stealing.h"

namespace goro {

namespace {

bool in_syscall(const G* gp) {
  return (gp->atomicstatus.load(std::memory_order_relaxed) & ~kGScan) ==
         static_cast<std::uint32_t>(GStatus::syscall);
}

// Is the victim about to come to its queue by itself? A guess, from values that change while we
// read them. No goroutine: it is in the scheduler. In a system call: it may not be back for long.
bool will_run_its_own(const P* victim) {
  if (victim->status.load(std::memory_order_relaxed) !=
      static_cast<std::uint32_t>(PStatus::running)) {
    return false;
  }
  const M* mp = victim->m.look();
  if (mp == nullptr) return false;
  const G* gp = mp->curg.load(std::memory_order_acquire);
  return gp == nullptr || !in_syscall(gp);
}

}  // namespace

// [grab]
std::uint32_t runq_grab(P* victim, atomic<G*>* to, std::uint32_t at, bool take_next) {
  for (;;) {
    std::uint32_t head = victim->runqhead.load(std::memory_order_acquire);
    // acquire: the slots below the tail are written.
    const std::uint32_t tail = victim->runqtail.load(std::memory_order_acquire);
    std::uint32_t n = tail - head;
    n -= n / 2;
    if (n == 0) {
      if (!take_next) return 0;
      G* next = victim->runnext.load(std::memory_order_relaxed);
      if (next == nullptr) return 0;
      if (will_run_its_own(victim)) usleep(kRunnextBackoff);
      // acquire: the goroutine that we take was written by somebody else.
      if (!victim->runnext.compare_exchange_strong(next, nullptr)) continue;
      to[at % kRunqSize].store(next, std::memory_order_relaxed);
      return 1;
    }
    if (n > kRunqSize / 2) continue;  // head and tail are not of one moment
    for (std::uint32_t i = 0; i < n; ++i) {
      G* gp = victim->runq[(head + i) % kRunqSize].load(std::memory_order_relaxed);
      to[(at + i) % kRunqSize].store(gp, std::memory_order_relaxed);
    }
    // release: the owner sees the head move only after we have read the slots.
    if (victim->runqhead.compare_exchange_strong(head, head + n, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
      return n;
    }
  }
}
// [/grab]

// [steal]
G* runq_steal(P* pp, P* victim, bool take_next) {
  const std::uint32_t tail = pp->runqtail.load(std::memory_order_relaxed);  // only we write it
  std::uint32_t n = runq_grab(victim, pp->runq, tail, take_next);
  if (n == 0) return nullptr;
  --n;
  G* gp = pp->runq[(tail + n) % kRunqSize].load(std::memory_order_relaxed);
  if (n == 0) return gp;
  const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
  if (tail - head + n >= kRunqSize) fatal("runq_steal: runq overflow");
  // release: whoever steals from us sees the slots.
  pp->runqtail.store(tail + n, std::memory_order_release);
  return gp;
}
// [/steal]

}  // namespace goro
