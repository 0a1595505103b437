// What the tests of this lab share: goroutines that wait at an address without anybody's having
// called semacquire1, and looks at what became of them.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "contracts/constants.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/sync.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/rings.h"
#include "testing/story.h"
#include "testing/whole_slices.h"

namespace goro::testing {

// Every order that this lab's tests expect is one of goroutines that nobody interrupts.
inline const WholeSlices whole_slices;

using Count = atomic<std::uint32_t>;
using Order = std::vector<int>;

inline bool is_runnable(const G* gp) {
  return gp->atomicstatus.load() == static_cast<std::uint32_t>(GStatus::runnable);
}

// The ids in the order in which pp would run them: runnext, then the ring.
inline Ids run_order(const P* pp) {
  Ids ids;
  if (const G* next = pp->runnext.load(); next != nullptr) ids.push_back(next->goid);
  const Ids ring = ring_of(pp);
  ids.insert(ids.end(), ring.begin(), ring.end());
  return ids;
}

inline bool lock_is_free(RuntimeMutex& lock) {
  if (!lock.try_lock()) return false;
  lock.unlock();
  return true;
}

// `n` goroutines that wait at `addr`, in order, as semacquire1 leaves them.
class Waiters {
 public:
  Waiters(FakeM& fake, Count* addr, int n) : addr_(addr) {
    for (int i = 0; i < n; ++i) {
      Sudog& s = sudogs_.emplace_back();
      s.g = fake.g(GStatus::waiting);
      gs_.push_back(s.g);
      root()->nwait.store(root()->nwait.load() + 1);
      root()->queue(addr, &s, false);
    }
  }
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;
  ~Waiters() {
    while (root()->dequeue(addr_) != nullptr) {
    }
    root()->nwait.store(0);
  }

  [[nodiscard]] SemaRoot* root() const { return root_for(addr_); }
  [[nodiscard]] std::uint64_t id(std::size_t i) const { return gs_[i]->goid; }
  [[nodiscard]] bool woken(std::size_t i) const { return is_runnable(gs_[i]); }
  [[nodiscard]] int woken() const {
    int n = 0;
    for (const G* gp : gs_) n += is_runnable(gp) ? 1 : 0;
    return n;
  }
  [[nodiscard]] std::uint32_t ticket(std::size_t i) const { return sudogs_[i].ticket; }

 private:
  Count* addr_;
  std::deque<Sudog> sudogs_;
  std::vector<G*> gs_;
};

// On a goroutine, at one P: all others run until they wait or have ended.
inline void let_others_run() {
  for (int i = 0; i < 20; ++i) yield();
}

// Does gp wait, and say that it does so for `reason`?
inline bool waits_for(const G* gp, WaitReason reason) {
  return gp != nullptr && gp->atomicstatus.load() == static_cast<std::uint32_t>(GStatus::waiting) &&
         gp->waitreason == reason;
}

}  // namespace goro::testing
