// What the tests of this lab share: Ms that are no threads. One that is in a system call, one that
// runs a goroutine, and one that sleeps and can be given a P.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/syscall.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace goro::testing {

inline std::uint32_t status_of(const G* gp) {
  return gp->atomicstatus.load();
}
inline std::uint32_t status_of(const P* pp) {
  return pp->status.load();
}
inline constexpr auto kRunning = static_cast<std::uint32_t>(GStatus::running);
inline constexpr auto kInSyscall = static_cast<std::uint32_t>(GStatus::syscall);
inline constexpr auto kPIdle = static_cast<std::uint32_t>(PStatus::idle);
inline constexpr auto kPRunning = static_cast<std::uint32_t>(PStatus::running);
inline constexpr auto kPStopped = static_cast<std::uint32_t>(PStatus::gcstop);

// A goroutine that this M runs.
inline G* running(FakeM& fake) {
  G* gp = fake.g(GStatus::running);
  gp->m = fake.m();
  fake.m()->curg.store(gp);
  return gp;
}

// An M with P `pp` whose goroutine is in `status`.
class OtherM {
 public:
  OtherM(FakeM& fake, P* pp, GStatus status) : mp_(std::make_unique<M>()) {
    mp_->g0 = &mp_->g0_storage;
    mp_->g0->m = mp_.get();
    g_ = fake.g(status);
    g_->m = mp_.get();
    mp_->curg.store(g_);
    if (pp == nullptr) return;
    mp_->p = pp;
    pp->m = mp_.get();
    pp->status.store(kPRunning);
  }

  [[nodiscard]] M* m() { return mp_.get(); }
  [[nodiscard]] G* g() { return g_; }

 private:
  std::unique_ptr<M> mp_;
  G* g_ = nullptr;
};

// Idle Ms. startm finds them and gives them a P; nobody runs there, so the P stays in nextp.
class Sleepers {
 public:
  explicit Sleepers(int n = 2) {
    for (int i = 0; i < n; ++i) {
      ms_.push_back(std::make_unique<M>());
      ms_.back()->id = 100 + i;
      ms_.back()->schedlink = sched.midle;
      sched.midle = ms_.back().get();
      ++sched.nmidle;
    }
  }

  // How many were given a P.
  [[nodiscard]] int woken() const {
    int n = 0;
    for (const auto& mp : ms_) n += mp->nextp != nullptr ? 1 : 0;
    return n;
  }
  // The one that was given pp, or null.
  [[nodiscard]] const M* with(const P* pp) const {
    for (const auto& mp : ms_) {
      if (mp->nextp == pp) return mp.get();
    }
    return nullptr;
  }

 private:
  std::vector<std::unique_ptr<M>> ms_;
};

inline void put_on_idle_list(P* pp) {
  sched.lock.lock();
  pidleput(pp);
  sched.lock.unlock();
}

inline bool on_idle_list(const P* pp) {
  for (const P* p = sched.pidle; p != nullptr; p = p->link) {
    if (p == pp) return true;
  }
  return false;
}

inline void put_in_global_queue(G* gp) {
  sched.lock.lock();
  sched.runq.push_back(gp);
  sched.runqsize.store(sched.runqsize.load() + 1);
  sched.lock.unlock();
}

// Unwires P 0 from this M, as if somebody had taken it from its call. It is nobody's then.
inline void lose_p(FakeM& fake) {
  fake.p(0)->m = nullptr;
  fake.p(0)->status.store(kPIdle);
  fake.m()->p = nullptr;
}

// True, and the lock is free: a function that returned has given it back.
inline bool lock_is_free() {
  if (!sched.lock.try_lock()) return false;
  sched.lock.unlock();
  return true;
}

}  // namespace goro::testing
