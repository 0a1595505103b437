#include "contracts/services/handovers.h"

#include <algorithm>
#include <bit>

#include "contracts/getg.h"
#include "contracts/netpoll.h"
#include "contracts/processors.h"
#include "contracts/services/clock.h"
#include "contracts/services/scheduling.h"
#include "contracts/timers.h"
#include "contracts/work_stealing.h"

namespace goro {

namespace {

constexpr std::int32_t kMaskBits = 32;
// Between the first two looks; from half a microsecond to two, as processors differ. A pair meets
// several times.
constexpr int kPausesBeforeWatch = 40;
// Fewer in one look, some 60 µs, and whoever waits in runnext waits long: a thief may gain by it.
constexpr std::uint32_t kFewHandovers = 8;

// The number of those who were woken when somebody last looked. Not about one P only: an old number
// of another P's costs a look.
atomic<std::uint32_t> seen_before{0};

bool one_is_busy() {
  return sched.npidle.load(std::memory_order_relaxed) ==
         sched.gomaxprocs.load(std::memory_order_relaxed) - 1;
}

// The one that is not idle; null: more are, or none. All of it may change while we look.
const P* busy_p() {
  if (!one_is_busy()) return nullptr;
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_acquire);
  for (std::int32_t first = 0; first < procs; first += kMaskBits) {
    const auto& word = sched.idlepmask[first / kMaskBits];
    const std::int32_t at = first + std::countr_one(word.load(std::memory_order_relaxed));
    if (at < std::min(procs, first + kMaskBits)) return allp[static_cast<std::size_t>(at)];
  }
  return nullptr;
}

// Would an M that watches be missed elsewhere? Then not. Somebody sleeps in poll_until: that one
// sees to timers and the network.
bool needed_elsewhere() {
  if (sched.gcwaiting.load(std::memory_order_relaxed)) return true;
  if (sched.runqsize.load(std::memory_order_relaxed) != 0) return true;
  if (sched.lastpoll.load(std::memory_order_relaxed) == 0) return false;
  return netpoll_waiters.load(std::memory_order_relaxed) != 0 || earliest_timer() != 0;
}

// What a P did up to some moment.
struct Talk {
  std::uint32_t handovers;
  std::uint32_t tail;

  explicit Talk(const P* pp)
      : handovers(pp->handovers.look()), tail(pp->runqtail.load(std::memory_order_relaxed)) {}

  // So many goroutines, or more, were woken since, and none of them had to wait for others in the
  // ring.
  [[nodiscard]] bool went_on_since(const Talk& then, std::uint32_t least) const {
    return handovers - then.handovers >= least && tail == then.tail;
  }
};

// The busy one has its queue and its channels to itself from here on, until another leaves the idle
// list.
bool leave_alone(const P* pp) {
  sched.lock.lock();
  const bool alone = busy_p() == pp && !sched.gcwaiting.load(std::memory_order_relaxed);
#if GORO_ONE_P
  if (alone) only_one_is_busy();
#endif
  sched.lock.unlock();
  return alone;
}

}  // namespace

bool watch_handovers() {
  const P* pp = busy_p();
  if (pp == nullptr || needed_elsewhere()) return false;
  Talk then(pp);
  if (seen_before.exchange(then.handovers, std::memory_order_relaxed) == then.handovers) {
    return false;
  }
  for (int i = 0; i < kPausesBeforeWatch; ++i) cpu_relax();
  Talk now(pp);
  if (!now.went_on_since(then, 1) || !leave_alone(pp)) return false;
  do {
    then = now;
    usleep(kRunnextBackoff);
    now = Talk(pp);
  } while (now.went_on_since(then, kFewHandovers) && one_is_busy() && !needed_elsewhere());
  seen_before.store(now.handovers, std::memory_order_relaxed);

  sched.lock.lock();
  P* own = sched.gcwaiting.load(std::memory_order_relaxed) ? nullptr : pidleget();
  sched.lock.unlock();
  if (own == nullptr) return false;
  acquirep(own);
  return true;
}

}  // namespace goro
