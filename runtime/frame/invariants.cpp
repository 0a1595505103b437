// What must be true of the scheduler whenever sched.lock is held and no P is in anyone's hands. A
// debug build and a simulation look; a release build does not.
#include "frame/invariants.h"
#include "contracts/run_queue.h"
#include "contracts/services/fatal.h"
#include "contracts/services/threads.h"
#include "frame/waiting.h"

#if !defined(NDEBUG) || defined(GORO_SIMULATE)

#include <string>
#include <unordered_set>

namespace goro {

namespace {

[[noreturn]] void broken(const char* where, const char* what) {
  const std::string text = std::string("scheduler invariant: ") + what + " (seen in " + where + ")";
  fatal(text.c_str());
}

void check_counts(const char* where) {
  if (sched.nmspinning.load() < 0) broken(where, "fewer than no Ms spin");
  std::int32_t idle = 0;
  for (const P* pp = sched.pidle; pp != nullptr; pp = pp->link) {
    if (++idle > kMaxProcs) broken(where, "the list of idle Ps has no end");
    if (pp->status.load() != static_cast<std::uint32_t>(PStatus::idle)) {
      broken(where, "a P on the idle list is not idle");
    }
    if (pp->m != nullptr) broken(where, "a P on the idle list has an M");
  }
  if (idle != sched.npidle.load()) broken(where, "npidle is not the length of the idle list");
  std::int32_t idle_ms = 0;
  for (const M* mp = sched.midle; mp != nullptr; mp = mp->schedlink) ++idle_ms;
  if (idle_ms != sched.nmidle) broken(where, "nmidle is not the length of the list of idle Ms");
}

void check_ps(const char* where) {
  std::int32_t alive = 0;
  const std::int32_t procs = sched.gomaxprocs.load();
  for (std::int32_t i = 0; i < procs; ++i) {
    switch (static_cast<PStatus>(allp[static_cast<std::size_t>(i)]->status.load())) {
      case PStatus::idle:
      case PStatus::running:
      case PStatus::gcstop:
        ++alive;
        break;
      default:
        break;
    }
  }
  if (alive != procs) {
    broken(where, "the Ps that are idle, running or stopped are not gomaxprocs in number");
  }
}

// Every P rests on the idle list: nobody is on the way to anything. But a thread outside may be: it
// puts its goroutine into the GRQ first, and starts an M for it then.
void check_nothing_is_left(const char* where) {
  if (sched.npidle.load() != sched.gomaxprocs.load() || !nobody_outside_readies()) return;
  if (sched.runqsize.load() != 0) {
    broken(where, "every P is idle, and a goroutine waits in the GRQ");
  }
  for (std::int32_t i = 0; i < sched.gomaxprocs.load(); ++i) {
    if (!runq_empty(allp[static_cast<std::size_t>(i)])) {
      broken(where, "every P is idle, and a goroutine waits in a local queue");
    }
  }
}

}  // namespace

void check_invariants(const char* where) {
  check_counts(where);
  check_ps(where);
  check_nothing_is_left(where);
}

void check_queues(const char* where) {
  std::unordered_set<const G*> seen;
  auto queued = [&](const G* gp) {
    if (!seen.insert(gp).second) broken(where, "a goroutine is on two queues");
    if (gp->atomicstatus.load() != static_cast<std::uint32_t>(GStatus::runnable)) {
      broken(where, "a goroutine on a queue is not runnable");
    }
  };
  std::int32_t global = 0;
  GQueue all = sched.runq;
  GQueue again;
  for (G* gp = all.pop(); gp != nullptr; gp = all.pop()) {
    queued(gp);
    ++global;
    again.push_back(gp);
  }
  sched.runq = again;
  if (global != sched.runqsize.load()) broken(where, "runqsize is not the length of the GRQ");
  for (std::int32_t i = 0; i < sched.gomaxprocs.load(); ++i) {
    const P* pp = allp[static_cast<std::size_t>(i)];
    if (const G* next = pp->runnext.load(); next != nullptr) queued(next);
    const std::uint32_t tail = pp->runqtail.load();
    for (std::uint32_t at = pp->runqhead.load(); at != tail; ++at) {
      queued(pp->runq[at % kRunqSize].load());
    }
  }
}

}  // namespace goro

#endif
