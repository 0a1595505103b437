// Slot 07, work-stealing: work from other Ps, and how to go to sleep without missing any.
//
//      own queue empty, GRQ empty
//                │
//                ▼            found
//     spin? ─► steal_work ───────────────► resetspinning ─► (wakep) ─► run it
//       │ no        │ nothing
//       ▼           ▼
//     under sched.lock: look at the GRQ again; give up the P, count it idle
//                   │
//                   ▼
//     count as spinning no longer, THEN look at all queues once more ──► found: a P, spin again
//                   │ nothing
//                   ▼
//                 stopm
//
// An M without work that looks for some is "spinning". Too few of them, and goroutines wait while
// processors idle; too many, and they burn what others could use. Go's rules:
//   - nobody is woken while somebody spins (wakep); at most half as many spin as Ps are busy;
//   - a spinning M that finds work counts as spinning no longer and wakes another (resetspinning):
//     so Ms start one by one for as long as there is work, and stop when there is none;
//   - a spinning M that finds nothing stops counting as spinning first and looks once more then.
//
// That order is what keeps work from being lost. Somebody who makes a goroutine runnable writes the
// queue and reads the counts; somebody who goes to sleep writes the counts and reads the queues.
// With sequential consistency one of them sees what the other wrote. In the other order both could
// see nothing: the goroutine would stay in its queue beside an idle P.
//
// Go: proc.go (runqgrab, runqsteal, stealWork, findRunnable, checkRunqsNoP, resetspinning,
// randomOrder).
#pragma once

#include <cstdint>
#include <vector>

#include "contracts/model.h"

namespace goro {

// ---- random_order.cpp ----

// All numbers below `count`, each once, in an order that differs from start to start: steps of a
// size that has no divisor in common with `count`. So two thieves rarely try the same victims in
// the same order, without an array to shuffle. Go: randomOrder.
class RandomOrder {
 public:
  // One walk. Go: randomEnum.
  class Walk {
   public:
    Walk(std::uint32_t count, std::uint32_t position, std::uint32_t step)
        : count_(count), position_(position), step_(step) {}
    [[nodiscard]] bool done() const { return i_ == count_; }
    void next();  // position = (position + step) mod count
    [[nodiscard]] std::uint32_t position() const { return position_; }

   private:
    std::uint32_t i_ = 0;
    std::uint32_t count_;
    std::uint32_t position_;
    std::uint32_t step_;
  };

  // Prepares walks over 0 … count-1: keeps the numbers 1 … count that are coprime to count, in
  // ascending order. Under a stopped world.
  void reset(std::uint32_t count);

  // The walk that `random` chooses: it starts at random mod count, and its step is the coprime with
  // index (random / count) mod (how many there are).
  [[nodiscard]] Walk start(std::uint32_t random) const;

 private:
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> coprimes_;
};

// Over the Ps; procresize resets it. Go: stealOrder.
extern RandomOrder stealorder;

// ---- steal.cpp ----

// How long runq_grab leaves a runnext alone that is the only thing to steal, in microseconds.
inline constexpr std::uint32_t kRunnextBackoff = 3;

// Takes half of victim's ring, rounded up, and copies it into `to` from index `at` on (mod 256).
// Returns how many. head (acquire), tail (acquire), copy, then one compare-and-swap of the head
// (release) makes them ours; if somebody was quicker, all over again. A length beyond 128 means
// that head and tail are not of one moment: again.
//
// An empty ring and take_next: takes runnext. Its P is about to run it, most likely at once (who
// puts a goroutine there often blocks right afterwards), and then runs it warm; so when the victim
// is running (its status, and its M's goroutine is none or not in a system call), first waits
// kRunnextBackoff (usleep of services/clock.h, not the system's), and only then takes it, if it is
// still the goroutine that was there before the wait. Compare-and-swap failed: again from the top.
// A victim without an M, or in a system call, scan bit or not, is not about to run anything. On
// any P, for the owner of `to`. Go: runqgrab.
std::uint32_t runq_grab(P* victim, atomic<G*>* to, std::uint32_t at, bool take_next);

// Steals from victim into pp's ring, which is empty: the last one stolen is returned, the others
// are published with one store of the tail (release). Null: nothing. Fatal "runq_steal: runq
// overflow" if pp's ring would hold 256 or more with them: then it was not empty. By the owner of
// pp. Go: runqsteal.
G* runq_steal(P* pp, P* victim, bool take_next);

// ---- spinning.cpp ----

struct Stolen {
  G* gp = nullptr;
  bool look_again = false;  // back to the top: the world is being stopped, or a timer has fired
};

// Four rounds over all Ps but this M's own, each in a new order (stealorder, cheaprand of
// services/random.h). Looks at gcwaiting before each. The last round runs the timers of each, idle
// or not (timers.check(), contracts/timers.h), before it steals from that one: if that ran
// anything, look_again at once, for what it readied is in this P's own queue. Steals from those
// that are not idle (idlepmask); only the last round may take a runnext. On g0, with a P, spinning.
// Go: stealWork.
Stolen steal_work();

// This M begins to look for work: m->spinning, nmspinning + 1, and needspinning is answered. Go:
// becomeSpinning.
void become_spinning(M* mp);

// Looks at the queues of all Ps that are not idle, without a P. One has something: an idle P for
// it, or null if there is none (pidleget_spinning under sched.lock: somebody else will look).
// Nothing: null. On g0. Go: checkRunqsNoP.
P* check_runqs_no_p();

// [find_work_elsewhere]
// The end of find_runnable, when this P and the GRQ have nothing. Null means: look again from the
// top; this M may have another P then.
//   1. gcwaiting: leave_if_asked() (services/scheduling.h), null. Else poll_network()
//      (services/poller.h): a goroutine that waited for the network and can go on.
//   2. This M spins, or 2·nmspinning < gomaxprocs − npidle: become_spinning if it does not yet, and
//      steal_work.
//   3. Under sched.lock: gcwaiting: null. The GRQ has something: a batch. Does not spin, and
//      needspinning is set: become_spinning, null. Else releasep and pidleput.
//   4. Did it spin: watch_handovers() (services/handovers.h). True: this M has a P again; null.
//      False: spinning = false, nmspinning − 1 (seq_cst; below 0 is fatal as in resetspinning),
//      THEN the GRQ once more (under sched.lock: an idle P by pidleget_spinning, and a batch into
//      its ring, which is this M's from here on).
//   5. check_runqs_no_p, whether it did spin or not: wakep trusts that whoever counts a P idle
//      looks afterwards. Found something in 4 or 5: acquirep, become_spinning, and that, or null.
//   6. poll_until(earliest_timer()) (services/poller.h, contracts/timers.h): sleeps there if there
//      are timers, or goroutines wait for the network, and nobody does. has_p: this M has a P
//      again: its gp; or, if that is null, become_spinning and null. After the P was counted idle,
//      for the reason of step 5.
//   7. stopm, null.
// On g0, with a P. Go: findRunnable, from "Spinning Ms: steal work from other Ps"; step 5 is for
// spinning Ms only there.
G* find_work_elsewhere();
// [/find_work_elsewhere]

// This spinning M found work: spinning = false, nmspinning − 1 (below 0: fatal "findrunnable:
// negative nmspinning"), and wakep(), because the last one to stop looking must see to a successor.
// On g0, with a P. Go: resetspinning.
void resetspinning();

}  // namespace goro
