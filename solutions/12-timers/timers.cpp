// Setting, stopping and running timers.
//
// The heap belongs to a P, the timer to whoever set it, and the two meet under two locks as rarely
// as possible. Who stops or resets a timer takes the timer's lock only. What it leaves is a heap
// whose entry tells another time than the timer; the marks in the timer's state say so, and
// whoever next has the heap's lock and meets the entry puts it right.
//
// Sleeping is where a mark must not be missed. The M that goes to sleep counts its P idle, and
// reads every P's wake_time then; whoever sets a timer writes that time first (min_when_heap or
// min_when_modified) and looks then whether somebody sleeps or is idle (wake_net_poller). All four
// are sequentially consistent, so one of the two sees the other.
#include "contracts/timers.h"

#include <algorithm>

#include "contracts/getg.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/poller.h"
#include "contracts/services/timer_channel.h"

namespace goro {

namespace {

constexpr std::uint8_t kAnyMark = kTimerModified | kTimerZombie;
constexpr std::uint8_t kOutOfHeap = static_cast<std::uint8_t>(~(kTimerHeaped | kAnyMark));

// seq_cst: adjust has cleared min_when_modified before. See modify.
bool has_mark(const RuntimeTimer* t) {
  return (t->astate.load() & kAnyMark) != 0;
}

// Unlocks t, and lets go of it if it has left the heap under this lock.
void unlock_and_let_go(RuntimeTimer* t) {
  const bool left = (t->state & kTimerHeaped) == 0;
  t->unlock();
  if (left) t->let_go();
}

std::int64_t next_time(std::int64_t when, std::int64_t period, std::int64_t late) {
  std::int64_t step = 0;
  std::int64_t next = 0;
  // A tick that nobody could take is left out: the next one is in the future.
  if (__builtin_mul_overflow(period, 1 + late / period, &step)) return kMaxWhen;
  return __builtin_add_overflow(when, step, &next) ? kMaxWhen : next;
}

bool too_many_zombies(const Timers* ts) {
  const auto zombies = static_cast<std::uint32_t>(ts->zombies.load(std::memory_order_relaxed));
  return zombies > ts->len.load(std::memory_order_relaxed) / 4;
}

}  // namespace

bool RuntimeTimer::needs_add() const {
  return when > 0 && (state & kTimerHeaped) == 0;
}

bool RuntimeTimer::modify(std::int64_t when_to, std::int64_t every, TimerFunction function,
                          void* argument, std::uintptr_t sequence) {
  if (when_to <= 0) fatal("timer when must be positive");
  if (every < 0) fatal("timer period must be non-negative");
  if (is_chan) send_lock.lock();
  lock();
  bool pending = when > 0;
  if (is_chan) {
    // Somebody has taken it for fired and not sent yet; it will see another seq.
    pending = pending || (period == 0 && is_sending.load() > 0);
    ++seq;
  }
  when = when_to;
  period = every;
  if (function != nullptr) {
    f = function;
    arg = argument;
    seq = sequence;
  }
  bool wake = false;
  if ((state & kTimerHeaped) != 0) {
    if ((state & kTimerZombie) != 0) ts->zombies.fetch_sub(1);
    state = kTimerHeaped | kTimerModified;
    // The mark before the look at the time; adjust clears the time before it looks for marks. Were
    // it the other way round, we could see an earlier time, and adjust could clear that and pass
    // by.
    astate.store(state);
    if (const std::int64_t first = ts->min_when_modified.load(); first == 0 || when_to < first) {
      wake = true;
      ts->update_min_when_modified(when_to);
    }
  }
  const bool add = needs_add();
  unlock();
  if (is_chan) {
    pending = drain_timer_channel(arg) || pending;
    send_lock.unlock();
  }
  if (add) {
    maybe_add();  // and the timer is not ours any more
  } else if (wake) {
    wake_net_poller(when_to);
  }
  return pending;
}

bool RuntimeTimer::stop() {
  if (is_chan) send_lock.lock();
  lock();
  if ((state & kTimerHeaped) != 0) {
    if ((state & kTimerZombie) == 0) ts->zombies.fetch_add(1);
    state |= kAnyMark;
  }
  bool pending = when > 0;
  when = 0;
  if (is_chan) {
    pending = pending || (period == 0 && is_sending.load() > 0);
    ++seq;
  }
  unlock();
  if (is_chan) {
    pending = drain_timer_channel(arg) || pending;
    send_lock.unlock();
  }
  return pending;
}

void RuntimeTimer::maybe_add() {
  Timers* own = &getm()->p->timers;
  bool wake = false;
  own->lock();
  own->clean_head();
  lock();
  // Between modify's unlock and here somebody else may have added it, or stopped it.
  const std::int64_t at = when;
  if (needs_add()) {
    state |= kTimerHeaped;
    const std::int64_t first = own->wake_time();
    wake = first == 0 || at < first;
    own->add_heap(this);
  }
  unlock();
  own->unlock();
  // From here on it may have fired.
  if (wake) wake_net_poller(at);
}

bool RuntimeTimer::update_heap() {
  if ((state & kTimerZombie) != 0) {
    state &= kOutOfHeap;
    ts->zombies.fetch_sub(1);
    ts->delete_min();
    return true;
  }
  if ((state & kTimerModified) != 0) {
    state = kTimerHeaped;
    ts->heap[0].when = when;
    ts->sift_down(0);
    ts->update_min_when_heap();
    return true;
  }
  return false;
}

// [unlock_and_run]
void RuntimeTimer::unlock_and_run(std::int64_t now) {
  Timers* heap = ts;
  const TimerFunction function = f;
  void* const argument = arg;
  const std::uintptr_t sequence = seq;
  const std::int64_t late = now - when;
  const bool counted = free_it != nullptr;
  const bool sends = is_chan;
  const bool once = period == 0;

  when = once ? 0 : next_time(when, period, late);
  state |= kTimerModified;
  if (once) {
    state |= kTimerZombie;
    heap->zombies.fetch_add(1);
  }
  update_heap();
  // Fired for the last time, it has left the heap, and the heap's hold is ours.
  if (!once) hold();
  if (sends && once) is_sending.fetch_add(1);
  unlock();
  heap->unlock();

  if (sends) {
    send_lock.lock();
    if (once) is_sending.fetch_sub(1);
    // Stopped or reset in between: what would be sent is out of date.
    if (seq == sequence) function(argument, sequence, late);
    send_lock.unlock();
  } else {
    function(argument, sequence, late);
  }
  // A goroutine that slept may have gone on, and its timer is gone with the frame.
  if (counted) let_go();
  heap->lock();
}
// [/unlock_and_run]

void Timers::clean_head() {
  while (!heap.empty()) {
    // A zombie at the end of the heap is nobody's parent: it just goes.
    if (RuntimeTimer* t = heap.back().timer;
        (t->astate.load(std::memory_order_acquire) & kTimerZombie) != 0) {
      t->lock();
      if ((t->state & kTimerZombie) != 0) {
        t->state &= kOutOfHeap;
        t->ts = nullptr;
        zombies.fetch_sub(1);
        heap.pop_back();
        if (heap.empty()) update_min_when_heap();
      }
      unlock_and_let_go(t);
      continue;
    }
    RuntimeTimer* t = heap[0].timer;
    if (!has_mark(t)) return;
    t->lock();
    const bool updated = t->update_heap();
    unlock_and_let_go(t);
    if (!updated) return;
  }
}

// [adjust]
void Timers::adjust(std::int64_t now, bool force) {
  if (!force) {
    const std::int64_t first = min_when_modified.load();
    if (first == 0 || first > now) return;
  }
  // In this order: whoever reads wake_time meanwhile sees the earlier time in one of the two.
  min_when_heap.store(wake_time());
  min_when_modified.store(0);
  bool changed = false;
  for (std::size_t i = 0; i < heap.size();) {
    RuntimeTimer* t = heap[i].timer;
    if (!has_mark(t)) {
      ++i;
      continue;
    }
    t->lock();
    if ((t->state & kTimerZombie) != 0) {
      t->state &= kOutOfHeap;
      t->ts = nullptr;
      zombies.fetch_sub(1);
      heap[i] = heap.back();
      heap.pop_back();
      changed = true;
    } else {
      if ((t->state & kTimerModified) != 0) {
        heap[i].when = t->when;
        t->state = kTimerHeaped;
        changed = true;
      }
      ++i;
    }
    unlock_and_let_go(t);
  }
  if (changed) init_heap();
  update_min_when_heap();
}
// [/adjust]

std::int64_t Timers::run(std::int64_t now) {
  while (!heap.empty()) {
    RuntimeTimer* t = heap[0].timer;
    if (!has_mark(t) && heap[0].when > now) return heap[0].when;
    t->lock();
    if (t->update_heap()) {
      unlock_and_let_go(t);
      continue;
    }
    if (t->when > now) {
      const std::int64_t when = t->when;
      t->unlock();
      return when;
    }
    t->unlock_and_run(now);
    return 0;
  }
  return -1;
}

bool Timers::check() {
  const std::int64_t next = wake_time();
  if (next == 0) return false;
  const std::int64_t now = nanotime();
  // A thief is in a hurry to find work; to clean up is the owner's business.
  const bool own = this == &getm()->p->timers;
  if (now < next && !(own && too_many_zombies(this))) return false;
  bool ran = false;
  lock();
  adjust(now, false);
  while (run(now) == 0) ran = true;
  unlock();
  if (own && too_many_zombies(this)) {
    lock();
    adjust(now, true);
    unlock();
  }
  return ran;
}

void Timers::take(Timers* from) {
  for (const Entry& entry : from->heap) {
    RuntimeTimer* t = entry.timer;
    t->ts = nullptr;
    if ((t->state & kTimerZombie) != 0) {
      t->state &= kOutOfHeap;
    } else {
      t->state = kTimerHeaped;
      add_heap(t);
    }
    t->astate.store(t->state, std::memory_order_release);
    t->let_go();  // the hold of the heap that goes; the other has its own
  }
  from->heap.clear();
  from->zombies.store(0);
  from->min_when_heap.store(0);
  from->min_when_modified.store(0);
  from->len.store(0);
  len.store(static_cast<std::uint32_t>(heap.size()));
}

std::int64_t earliest_timer() {
  std::int64_t earliest = 0;
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_acquire);
  for (std::int32_t i = 0; i < procs; ++i) {
    const std::int64_t when = allp[static_cast<std::size_t>(i)]->timers.wake_time();
    if (when != 0 && (earliest == 0 || when < earliest)) earliest = when;
  }
  return earliest;
}

}  // namespace goro
