// The lists of those that have nothing to do, and how an M and a P come together.
//
// Both lists are stacks: who went idle last is the warmest. All of it under sched.lock; the counts
// and the mask are atomics because others look at them without it.
#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/threads.h"

namespace goro {

namespace {

constexpr std::uint32_t kMaskBits = 32;

atomic<std::uint32_t>& mask_word(const P* pp) {
  return sched.idlepmask[static_cast<std::uint32_t>(pp->id) / kMaskBits];
}

std::uint32_t mask_bit(const P* pp) {
  return 1U << (static_cast<std::uint32_t>(pp->id) % kMaskBits);
}

}  // namespace

void pidleput(P* pp) {
  if (!runq_empty(pp)) fatal("pidleput: P has non-empty run queue");
  mask_word(pp).fetch_or(mask_bit(pp), std::memory_order_seq_cst);
  pp->link = sched.pidle;
  sched.pidle = pp;
  // seq_cst: the count before the look at the queues that the caller has yet to take.
  sched.npidle.fetch_add(1, std::memory_order_seq_cst);
}

P* pidleget() {
  P* pp = sched.pidle;
  if (pp != nullptr) {
    mask_word(pp).fetch_and(~mask_bit(pp), std::memory_order_seq_cst);
    sched.pidle = pp->link;
    pp->link = nullptr;
    sched.npidle.fetch_sub(1, std::memory_order_seq_cst);
  }
  return pp;
}

P* pidleget_spinning() {
  P* pp = pidleget();
  // There is work and nobody to give it to. Whoever is about to give up a P takes this lock first,
  // and sees the flag.
  if (pp == nullptr) sched.needspinning.store(true, std::memory_order_seq_cst);
  return pp;
}

void mput(M* mp) {
  mp->schedlink = sched.midle;
  sched.midle = mp;
  ++sched.nmidle;
  checkdead();
}

M* mget() {
  M* mp = sched.midle;
  if (mp != nullptr) {
    sched.midle = mp->schedlink;
    mp->schedlink = nullptr;
    --sched.nmidle;
  }
  return mp;
}

void acquirep(P* pp) {
  M* mp = getm();
  if (mp->p != nullptr || pp->m != nullptr) fatal("wirep: already in go");
  if (!has_status(pp, PStatus::idle)) fatal("wirep: invalid p state");
  mp->p = pp;
  pp->m = mp;
  set_status(pp, PStatus::running);
}

P* releasep() {
  M* mp = getm();
  P* pp = mp->p;
  if (pp == nullptr) fatal("releasep: invalid p state");
  if (pp->m != mp || !has_status(pp, PStatus::running)) fatal("releasep: invalid p state");
  mp->p = nullptr;
  pp->m = nullptr;
  set_status(pp, PStatus::idle);
  return pp;
}

}  // namespace goro
