// A count that goroutines wait for.
//
// The lost wake-up to look out for: a goroutine sees 0 and is about to wait, somebody counts up and
// sees nobody waiting. So the one announces itself (nwait) before its last look at the count, and
// the other counts up before it looks at nwait; all four are sequentially consistent.
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/scheduling.h"
#include "contracts/services/waiting.h"
#include "contracts/sync.h"
#include "goro/detail/park.h"

namespace goro {

namespace {

// In the frame of the goroutine that waits.
struct SemaWait {
  atomic<std::uint32_t>* addr;
  bool lifo;
  bool acquired = false;  // after all, without waiting
  Sudog sudog;
};

// [semacquire]
bool join_queue(G* gp, void* arg) {
  auto* wait = static_cast<SemaWait*>(arg);
  SemaRoot* root = root_for(wait->addr);
  root->lock.lock();
  root->nwait.fetch_add(1);
  if (cansemacquire(wait->addr)) {
    root->nwait.fetch_sub(1);
    root->lock.unlock();
    wait->acquired = true;
    return false;
  }
  wait->sudog.g = gp;
  wait->sudog.ticket = 0;
  root->queue(wait->addr, &wait->sudog, wait->lifo);
  root->lock.unlock();
  return true;
}
// [/semacquire]

}  // namespace

bool cansemacquire(atomic<std::uint32_t>* addr) {
  std::uint32_t count = addr->load();
  while (count != 0) {
    if (addr->compare_exchange_weak(count, count - 1)) return true;
  }
  return false;
}

void semacquire1(atomic<std::uint32_t>* addr, bool lifo, WaitReason reason) {
  if (cansemacquire(addr)) return;
  detail::current_goroutine();
  SemaWait wait{addr, lifo, false, {}};
  do {
    gopark(join_queue, &wait, reason);
    // A ticket: it was counted down for us. None: whoever is quicker has it.
  } while (!wait.acquired && wait.sudog.ticket == 0 && !cansemacquire(addr));
}

// [semrelease]
void semrelease1(atomic<std::uint32_t>* addr, bool handoff) {
  SemaRoot* root = root_for(addr);
  addr->fetch_add(1);
  if (root->nwait.load() == 0) return;

  M* mp = acquirem();
  root->lock.lock();
  Sudog* s = root->dequeue(addr);
  if (s != nullptr) root->nwait.fetch_sub(1);
  root->lock.unlock();
  releasem(mp);
  if (s == nullptr) return;

  const bool direct = handoff && cansemacquire(addr);
  if (direct) s->ticket = 1;
  wake(s->g);  // and the sudog, which is in its frame, is not ours any more
  // The waiter is in runnext: it runs now, in what is left of our slice, and finds its semaphore
  // warm. Otherwise we might be back for the same semaphore before it has run at all.
  if (direct && mp != nullptr && !on_g0() && getm()->locks == 0) goyield();
}
// [/semrelease]

}  // namespace goro
