// Slot 12, timers: what shall happen later, kept with the P that asked for it.
//
//   sleep, after_func, Timer, Ticker ── modify, stop ──► RuntimeTimer {when, f, arg}
//                                                            │ maybe_add
//   P0: Timers {heap, min_when_heap, min_when_modified}  ◄───┘            P1: Timers …
//         ▲ own M, at the top of every find_runnable: check ──► run: f(arg, …) on g0
//         ▲ a thief that found nothing else: check
//         ▲ an M that is about to sleep: earliest_timer, then it sleeps no longer than that
//
// There is no thread for timers. Each P has a heap of its own, so that two Ps which set timers
// never meet; whoever schedules on the P runs what is due. A heap is only ever reordered by who has
// its lock, and whoever stops or resets a timer does not want the lock of another P's heap: it
// changes the timer alone, and leaves a mark that the heap is out of date there. The marks:
//
//   heaped    the timer is in the heap of `ts`, with the time that the heap's entry says
//   modified  … but `when` is another time by now: the entry is to be moved
//   zombie    … and it was stopped: the entry is to be thrown away. Never without heaped and
//             modified
//
// A heap with marks is put right by adjust (all of it), clean_head and run (at its ends). An entry
// whose timer was moved to a later time or stopped comes up too early, which costs a look. One
// whose timer was moved to an earlier time would come up too late: so `min_when_modified` says how
// early the earliest of those is.
//
// Lock order: RuntimeTimer::send_lock, Timers::mu, RuntimeTimer::mu. No lock of a timer is held
// when f is called but send_lock (channel timers). sched.lock is never taken under any of them.
//
// Everything here runs on g0, with a P, unless it says otherwise.
//
// Go: time.go (timer, timers, modify, stop, adjust, check, run, …).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "contracts/atomic.h"
#include "contracts/lock.h"

namespace goro {

struct Timers;

// RuntimeTimer::state. Go: timerHeaped, timerModified, timerZombie.
// [marks]
inline constexpr std::uint8_t kTimerHeaped = 1;
inline constexpr std::uint8_t kTimerModified = 2;
inline constexpr std::uint8_t kTimerZombie = 4;
// [/marks]

// Times that would be later than this are this. Go: maxWhen.
inline constexpr std::int64_t kMaxWhen = INT64_MAX;

// What a timer does. On g0, with a P; it must not block. `seq` is the timer's at the time when it
// was set, `delay` is by how many nanoseconds it is late.
using TimerFunction = void (*)(void* arg, std::uintptr_t seq, std::int64_t delay);

// Go: timer.
struct RuntimeTimer {
  // Protects the rest, but for what says otherwise.
  RuntimeMutex mu;
  std::uint8_t state = 0;
  // A copy of state as of the last unlock(): whoever puts a heap right sees here, without the lock,
  // whether there is anything to do.
  atomic<std::uint8_t> astate{0};
  bool is_chan = false;     // f sends to a channel. Never changes
  std::int64_t when = 0;    // nanotime(); 0: not set
  std::int64_t period = 0;  // nanoseconds; 0: once
  TimerFunction f = nullptr;
  void* arg = nullptr;
  std::uintptr_t seq = 0;  // channel timers: ++ by every stop and modify; under send_lock too
  Timers* ts = nullptr;    // the heap it is in

  // Channel timers: held while f sends. So whoever has it (stop, modify) knows that nothing is
  // being sent, and that nothing with an old seq will be.
  RuntimeMutex send_lock;
  // Channel timers that fire once: how many Ms are between "it fires" and "it is sent".
  atomic<std::int32_t> is_sending{0};

  // Who keeps the memory: its owner, the heap it is in, and whoever runs it. Counted only if
  // free_it is set; a goroutine that sleeps has its timer in its own frame instead, which is gone
  // as soon as f has woken it.
  atomic<std::uint32_t> holders{1};
  void (*free_it)(RuntimeTimer* t) = nullptr;

  void lock() { mu.lock(); }
  // Publishes the state: release, so that whoever sees a mark sees why.
  void unlock() {
    astate.store(state, std::memory_order_release);
    mu.unlock();
  }
  void hold() {
    if (free_it != nullptr) holders.fetch_add(1, std::memory_order_relaxed);
  }
  // Must not be called under its lock.
  void let_go() {
    if (free_it != nullptr && holders.fetch_sub(1, std::memory_order_acq_rel) == 1) free_it(this);
  }

  // ---- timers.cpp ----

  // Sets the timer: at `when_to` (more than 0, else fatal "timer when must be positive"), and then
  // every `every` nanoseconds (0: once; less: fatal "timer period must be non-negative"). With a
  // function: f, arg and seq become these. Was it set before, and has it not fired?
  //   - In a heap already: marked modified, a zombie no longer (Timers::zombies). First the mark,
  //     for all to see (astate); then, if it is earlier than all others that were modified there,
  //     min_when_modified.
  //   - In no heap, after unlock(): maybe_add.
  //   - A channel timer: all of it under send_lock; ++seq; drains the channel (drain_timer_channel)
  //     when it is unlocked; true also if something was drained, or (fires once) somebody is on the
  //     way to send (is_sending).
  // At last wake_net_poller(when_to) if it is now the earliest that was modified in that heap.
  // After maybe_add the timer must not be touched: it may have fired, and be gone.
  // Go: timer.modify.
  bool modify(std::int64_t when_to, std::int64_t every, TimerFunction function, void* argument,
              std::uintptr_t sequence);
  // The same with the function that it has. Go: timer.reset.
  bool reset(std::int64_t when_to, std::int64_t every) {
    return modify(when_to, every, nullptr, nullptr, 0);
  }

  // It will not fire (again). In a heap: marked modified and zombie, and counted there. Result and
  // channel timers as in modify. Go: timer.stop.
  bool stop();

  // Set, and in no heap? Under its lock. Go: timer.needsAdd.
  [[nodiscard]] bool needs_add() const;

  // Puts it into the heap of this M's P, if it still wants to be in one: under both locks, after
  // clean_head. wake_net_poller(when), without the locks, if it is earlier than wake_time() was.
  // Go: timer.maybeAdd.
  void maybe_add();

  // This timer is the first of its heap: brings the heap up to date with its marks. A zombie is
  // taken out (delete_min, no mark left, counted out), a modified one moves to its place. True if
  // there was a mark. Under both locks. Go: timer.updateHeap.
  bool update_heap();

  // It is due: calls f. In this order: the time of the next firing (period: when + period · (1 +
  // late / period), kMaxWhen if that overflows; else 0, and a zombie); update_heap; a channel timer
  // that fires once counts itself in is_sending; unlock(); ts->unlock(); send_lock (channel timers;
  // is_sending counted back; not sent if seq is another one now); f; ts->lock(). While f runs, the
  // timer is held: by the hold of the heap that it has left, or by one more. A timer without
  // free_it may be gone after f, and must not be touched. Under both locks; on return under
  // ts->mu only. Go: timer.unlockAndRun.
  void unlock_and_run(std::int64_t now);
};

// Go: timers.
struct Timers {
  // Protects the heap. Whoever wants to run or add has it, for a moment.
  RuntimeMutex mu;

  // [entry]
  struct Entry {
    RuntimeTimer* timer;
    std::int64_t when;  // its place in the heap; the timer's own `when` may differ
  };
  // Four children for each: half as deep as a binary heap, and the children lie in one cache line.
  std::vector<Entry> heap;
  // [/entry]

  atomic<std::uint32_t> len{0};     // of the heap; a copy for those without the lock
  atomic<std::int32_t> zombies{0};  // that are in the heap
  // The first entry's time; 0: the heap is empty. Written under mu.
  atomic<std::int64_t> min_when_heap{0};
  // No timer that is marked modified is to fire before this; 0: none. Lowered without mu.
  atomic<std::int64_t> min_when_modified{0};

  void lock() { mu.lock(); }
  void unlock() {
    len.store(static_cast<std::uint32_t>(heap.size()), std::memory_order_relaxed);
    mu.unlock();
  }

  // When somebody has to look at these timers; 0: never. Any thread, without the lock. Reads
  // min_when_modified first: adjust writes them in the other order, so that the earlier of the two
  // is never overlooked. Go: timers.wakeTime.
  // [wake_time]
  [[nodiscard]] std::int64_t wake_time() const {
    const std::int64_t modified = min_when_modified.load();
    const std::int64_t first = min_when_heap.load();
    return first == 0 || (modified != 0 && modified < first) ? modified : first;
  }
  // [/wake_time]

  // ---- heap.cpp ----

  // Moves the entry at `i` up or down to its place: no entry is later than its children, the four
  // at 4i + 1 … 4i + 4. Under mu. Go: siftUp, siftDown.
  void sift_up(std::size_t i);
  void sift_down(std::size_t i);
  // Makes a heap of any order. Under mu. Go: initHeap.
  void init_heap();
  // Adds t, which is in no heap (else fatal "ts set in timer"), with its `when`, holds it, and sets
  // its `ts`. Under mu and t->mu. Go: addHeap.
  void add_heap(RuntimeTimer* t);
  // Takes out the first entry, whose `ts` becomes null. It is still held. min_when_modified becomes
  // 0 when the heap is empty. Under mu and the timer's lock. Go: deleteMin.
  void delete_min();

  // min_when_heap from the heap. Under mu.
  void update_min_when_heap() { min_when_heap.store(heap.empty() ? 0 : heap[0].when); }
  // Lowers min_when_modified to `when`, if it is higher or 0. Without mu. Go:
  // updateMinWhenModified.
  void update_min_when_modified(std::int64_t when);

  // ---- timers.cpp ----

  // Takes zombies off the end of the heap, and puts its first entry right, until the first has no
  // mark: so that a program that sets and stops timers in turns keeps a small heap without waiting
  // for their time. Under mu. Go: cleanHead.
  void clean_head();

  // Brings the whole heap up to date: if force, or if a modified timer may be due at `now`.
  // Zombies out and let go of, modified entries to their time, then init_heap. Before the look at
  // the timers: min_when_heap = wake_time(), then min_when_modified = 0; whoever lowers it again
  // from then on is looked at another time. Under mu. Go: adjust.
  void adjust(std::int64_t now, bool force);

  // Runs the first timer, if it is due. 0: it did; −1: the heap is empty; else when the first is.
  // Marks that it meets are put right. Under mu, which is released while the timer's function runs.
  // Go: timers.run.
  std::int64_t run(std::int64_t now);

  // Runs everything that is due, and returns whether that was anything. Costs two loads when there
  // are no timers, and a look at the clock when none is due. The M of the P itself (not a thief)
  // also throws out the zombies when they are more than a quarter of the heap. Go: timers.check.
  bool check();

  // Takes over the timers of a P that is going away. The world is stopped; no locks. Zombies are
  // let go of. Go: timers.take.
  void take(Timers* from);
};

// The earliest wake_time() of all Ps, or 0: for an M that is about to sleep, without a P. Go:
// checkTimersNoP.
std::int64_t earliest_timer();

}  // namespace goro
