// Looking for work, and going to sleep without missing any.
//
// Two parties, each of which writes one thing and reads the other:
//
//   makes a goroutine runnable             goes to sleep
//     1. writes a queue                      1. counts itself out (npidle, nmspinning)
//     2. reads npidle and nmspinning         2. reads the queues
//        nobody idle, or somebody spins:        something there: a P, and back to work
//        done; else wakes an M
//
// All four are sequentially consistent, so they happen in one order, and whichever first line comes
// second is followed by a second line that sees the other's first. Exchange lines 1 and 2 of the
// sleeper and both may miss each other: the goroutine rests beside an idle P until something else
// happens to wake an M.
//
// needspinning closes one more gap. A spinning M that goes to sleep may find work and no P: others
// have just taken the idle ones. One of those may be about to give up its P again without having
// spun (spinning is rationed), so without having looked. It asks for the flag under sched.lock,
// before it lets go of the P.
#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "contracts/services/fatal.h"
#include "contracts/services/handovers.h"
#include "contracts/services/poller.h"
#include "contracts/services/random.h"
#include "contracts/services/scheduling.h"
#include "contracts/work_stealing.h"

namespace goro {

namespace {

// Go: stealTries.
constexpr int kStealRounds = 4;
constexpr std::uint32_t kMaskBits = 32;

bool is_idle(std::uint32_t p) {
  return (sched.idlepmask[p / kMaskBits].load(std::memory_order_seq_cst) >> (p % kMaskBits) & 1) !=
         0;
}

void stop_spinning(M* mp) {
  mp->spinning = false;
  // seq_cst, and before any look at a queue that follows.
  if (sched.nmspinning.fetch_sub(1, std::memory_order_seq_cst) <= 0) {
    fatal("findrunnable: negative nmspinning");
  }
}

}  // namespace

void become_spinning(M* mp) {
  mp->spinning = true;
  sched.nmspinning.fetch_add(1, std::memory_order_seq_cst);
  sched.needspinning.store(false, std::memory_order_seq_cst);
}

// [steal_work]
Stolen steal_work() {
  P* pp = getm()->p;
  for (int round = 0; round < kStealRounds; ++round) {
    const bool take_next = round == kStealRounds - 1;
    for (auto walk = stealorder.start(cheaprand(pp)); !walk.done(); walk.next()) {
      if (sched.gcwaiting.load(std::memory_order_relaxed)) return {nullptr, true};
      P* victim = allp[walk.position()];
      // An idle P's too: it has nothing to steal, but its time may have come.
      if (take_next && victim != pp && victim->timers.check()) return {nullptr, true};
      if (victim == pp || is_idle(walk.position())) continue;
      if (G* gp = runq_steal(pp, victim, take_next); gp != nullptr) return {gp, false};
    }
  }
  return {};
}
// [/steal_work]

// [check_runqs]
P* check_runqs_no_p() {
  // The number may change as soon as we hold no P. A P that is added meanwhile gets its work from
  // somebody who wakes others; one that goes loses its goroutines to the GRQ, and whoever starts
  // the world again calls wakep.
  const auto procs = static_cast<std::uint32_t>(sched.gomaxprocs.load(std::memory_order_acquire));
  for (std::uint32_t i = 0; i < procs; ++i) {
    // An idle P has an empty queue; if it is idle no longer a moment later, whoever fills its queue
    // then sees that ours is idle.
    if (is_idle(i) || runq_empty(allp[i])) continue;
    sched.lock.lock();
    P* pp = pidleget_spinning();
    sched.lock.unlock();
    return pp;
  }
  return nullptr;
}
// [/check_runqs]

// [find_work_elsewhere]
G* find_work_elsewhere() {
  M* mp = getm();
  if (sched.gcwaiting.load(std::memory_order_acquire)) {
    leave_if_asked();
    return nullptr;
  }
  P* pp = mp->p;
  if (G* gp = poll_network(); gp != nullptr) return gp;

  // At most half as many spin as are busy: spinning costs the same as working.
  if (mp->spinning || 2 * sched.nmspinning.load(std::memory_order_relaxed) <
                          sched.gomaxprocs.load(std::memory_order_relaxed) -
                              sched.npidle.load(std::memory_order_relaxed)) {
    if (!mp->spinning) become_spinning(mp);
    const Stolen stolen = steal_work();
    if (stolen.gp != nullptr) return stolen.gp;
    if (stolen.look_again) return nullptr;
  }

  sched.lock.lock();
  if (sched.gcwaiting.load(std::memory_order_relaxed)) {
    sched.lock.unlock();
    return nullptr;
  }
  if (G* gp = globrunq_get_batch(pp, kRunqSize / 2); gp != nullptr) {
    sched.lock.unlock();
    return gp;
  }
  if (!mp->spinning && sched.needspinning.load(std::memory_order_seq_cst)) {
    become_spinning(mp);
    sched.lock.unlock();
    return nullptr;
  }
  pidleput(releasep());
  sched.lock.unlock();

  if (mp->spinning) {
    // Where goroutines wake one another all the time, the next of them would wake us.
    if (watch_handovers()) return nullptr;
    stop_spinning(mp);
    // Goroutines can come into the GRQ without a P: from a system call that found none.
    sched.lock.lock();
    if (sched.runqsize.load(std::memory_order_relaxed) != 0) {
      if (P* idle = pidleget_spinning(); idle != nullptr) {
        G* gp = globrunq_get_batch(idle, kRunqSize / 2);
        sched.lock.unlock();
        acquirep(idle);
        become_spinning(mp);
        return gp;
      }
    }
    sched.lock.unlock();
  }
  if (P* idle = check_runqs_no_p(); idle != nullptr) {
    acquirep(idle);
    become_spinning(mp);
    return nullptr;
  }
  if (const Polled polled = poll_until(earliest_timer()); polled.has_p) {
    if (polled.gp == nullptr) become_spinning(mp);
    return polled.gp;
  }
  stopm();
  return nullptr;
}
// [/find_work_elsewhere]

// [resetspinning]
void resetspinning() {
  stop_spinning(getm());
  wakep();
}
// [/resetspinning]

}  // namespace goro
