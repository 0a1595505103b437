// What the tests of this lab share: a child process that is expected to die, a random generator
// whose seed can be given again, and an Event built on gopark and ready.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/allgs.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/fake.h"
#include "testing/story.h"
#include "testing/whole_slices.h"

namespace goro::lab02 {

using testing::ChildEnd;
using testing::in_child;

// Every order that this lab's tests expect is one of goroutines that nobody interrupts.
inline const testing::WholeSlices whole_slices;

// -- statuses by name --

struct NamedStatus {
  GStatus status;
  const char* name;
};
inline constexpr NamedStatus kStatuses[] = {
    {GStatus::idle, "idle"},           {GStatus::runnable, "runnable"},
    {GStatus::running, "running"},     {GStatus::syscall, "syscall"},
    {GStatus::waiting, "waiting"},     {GStatus::dead, "dead"},
    {GStatus::copystack, "copystack"}, {GStatus::preempted, "preempted"},
};

inline GStatus status_of(const G* gp) {
  return static_cast<GStatus>(gp->atomicstatus.load(std::memory_order_relaxed));
}

inline std::string name_of(std::uint32_t status) {
  for (const NamedStatus& named : kStatuses) {
    if (static_cast<std::uint32_t>(named.status) == (status & ~kGScan)) {
      return std::string(named.name) + ((status & kGScan) != 0 ? " with the scan bit" : "");
    }
  }
  return "status " + std::to_string(status);
}
inline std::string name_of(GStatus status) {
  return name_of(static_cast<std::uint32_t>(status));
}
inline std::string status_name_of(const G* gp) {
  return name_of(gp->atomicstatus.load(std::memory_order_relaxed));
}

// -- a thread dressed up as an M, with the Gs of newproc1 given back at the end --

class World {
 public:
  explicit World(int procs = 1) : m_(procs) {}
  ~World() { allgs_reset(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  testing::FakeM* operator->() { return &m_; }

 private:
  testing::FakeM m_;
};

// -- for goroutines --

// How many times something is done: a sanitizer's goroutines are large and slow to make and to
// switch.
constexpr int many(int n, int with_sanitizer) {
  return GORO_GROWABLE_STACKS != 0 ? n : with_sanitizer;
}

// Yields until condition() holds; false after `limit` yields.
template <typename F>
bool yield_until(F&& condition, int limit = 10'000'000) {
  for (int i = 0; i < limit; ++i) {
    if (condition()) return true;
    yield();
  }
  return condition();
}

// The P of the running goroutine. With one P, and nothing else running, it may be read and written.
inline P* own_p() {
  return getm()->p;
}

// On the first slice (schedtick 0) find_runnable looks at the global queue first, and every 61
// slices again. Tests about order start behind that.
inline void leave_the_first_slice() {
  own_p()->schedtick = 1;
}

// Gs that were ever made, the dead ones too.
inline std::size_t registered_gs() {
  std::size_t count = 0;
  systemstack([&] { for_each_g([&](const G*) { ++count; }); });
  return count;
}

// [event]
// One waiter at a time; a post that comes before the wait is kept. The smallest user of gopark and
// ready: who waits gives its name away in the unlock function, when it is off its stack.
class Event {
 public:
  void wait(WaitReason reason = WaitReason::semacquire) { gopark(commit, this, reason); }

  // On a goroutine's stack or on g0.
  void post() {
    systemstack([this] {
      lock_.lock();
      G* gp = std::exchange(waiter_, nullptr);
      if (gp == nullptr) posted_ = true;
      lock_.unlock();
      if (gp != nullptr) ready(gp);
    });
  }

  [[nodiscard]] bool has_waiter() {
    bool result = false;
    systemstack([&] {
      lock_.lock();
      result = waiter_ != nullptr;
      lock_.unlock();
    });
    return result;
  }

 private:
  static bool commit(G* gp, void* arg) {
    auto* self = static_cast<Event*>(arg);
    self->lock_.lock();
    const bool wait = !std::exchange(self->posted_, false);
    if (wait) self->waiter_ = gp;
    self->lock_.unlock();
    return wait;
  }

  RuntimeMutex lock_;
  G* waiter_ = nullptr;
  bool posted_ = false;
};
// [/event]

}  // namespace goro::lab02
