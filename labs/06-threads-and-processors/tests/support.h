// What the tests of this lab share: Ms and Ps put together by hand, a child process that is
// expected to die, and how much of a processor a thread uses while it is to sleep.
#pragma once

#include <pthread.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/services/clock.h"
#include "contracts/services/scheduling.h"
#include "contracts/services/threads.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/fake.h"
#include "testing/rings.h"
#include "testing/story.h"

namespace goro::testing {

// A mistake that is not refused may sleep for ever.
template <typename F>
ChildEnd in_short_child(F&& f) {
  return in_child(std::forward<F>(f), 5);
}

// -- Ps and Ms by hand --

inline PStatus status_of(const P* pp) {
  return static_cast<PStatus>(pp->status.load());
}

inline const char* name_of(PStatus status) {
  switch (status) {
    case PStatus::idle:
      return "idle";
    case PStatus::running:
      return "running";
    case PStatus::syscall:
      return "syscall";
    case PStatus::gcstop:
      return "gcstop";
    case PStatus::dead:
      return "dead";
  }
  return "none";
}

inline int id_of(const P* pp) {
  return pp == nullptr ? -1 : pp->id;
}

// Puts P `first` … `last` on the idle list, the last one on top, without the functions under test.
inline void rest(FakeM& fake, int first, int last) {
  for (int i = first; i <= last; ++i) {
    P* pp = fake.p(i);
    set_status(pp, PStatus::idle);
    pp->link = sched.pidle;
    sched.pidle = pp;
    sched.npidle.fetch_add(1);
    sched.idlepmask[i / 32].fetch_or(1U << (i % 32));
  }
}

// An M on the idle list that nobody is: whoever wakes it leaves traces in it, and nothing runs.
inline void rest(M* mp) {
  mp->schedlink = sched.midle;
  sched.midle = mp;
  ++sched.nmidle;
  ++sched.mcount;
}

// The ids of the Ps on the idle list, top first.
inline std::vector<int> idle_ps() {
  std::vector<int> ids;
  for (const P* pp = sched.pidle; pp != nullptr && ids.size() < 100; pp = pp->link) {
    ids.push_back(pp->id);
  }
  return ids;
}

// Makes "this M is the last, and sleeps" end the program in the runtime's own words.
inline void sleeping_is_a_deadlock() {
  sched.mcount = 1;
  sched.foreign = 0;
}

// Reads under sched.lock; on any thread, but not on a goroutine's stack.
template <typename F>
auto locked(F&& f) {
  sched.lock.lock();
  const auto value = f();
  sched.lock.unlock();
  return value;
}

// Waits until condition() holds; the test's time limit is the limit.
template <typename F>
void wait_until(F&& condition) {
  while (!condition()) osyield();
}

// -- a goroutine and an M that belong to each other --

// The state in which a goroutine `gp` runs on mp, and can call lock_os_thread.
inline void run_on(M* mp, G* gp) {
  mp->curg.store(gp);
  gp->m = mp;
}

// -- processor time --

inline std::int64_t own_processor_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

inline std::int64_t processor_time_of(std::thread& thread) {
  clockid_t clock = 0;
  timespec used{};
  if (pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return 0;
  clock_gettime(clock, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

// How often thread `tid` of this process has gone off its processor, of its own accord or not; -1
// if the kernel does not say.
inline std::int64_t switches_of(pid_t tid) {
  std::ifstream status("/proc/self/task/" + std::to_string(tid) + "/status");
  std::int64_t sum = 0;
  int found = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.find("ctxt_switches:") == std::string::npos) continue;
    sum += std::stoll(line.substr(line.find(':') + 1));
    ++found;
  }
  return found == 2 ? sum : -1;
}

// Uses `nanoseconds` of a processor on this thread, with a few pauses in between, so that whoever
// is awake gets its part. Returns what it really was. Processor time, not time of day: a busy
// machine makes it last longer and changes nothing. Few pauses, because there each may last as long
// as the slices of all who wait.
inline std::int64_t work_for(std::int64_t nanoseconds) {
  const std::int64_t start = own_processor_time();
  constexpr std::int64_t kBetweenPauses = 5'000'000;
  std::int64_t used = 0;
  for (std::int64_t pause = kBetweenPauses; used < nanoseconds; pause += kBetweenPauses) {
    while ((used = own_processor_time() - start) < pause) cpu_relax();
    osyield();
  }
  return used;
}

inline constexpr std::int64_t kMuchWork = 60'000'000;

}  // namespace goro::testing
