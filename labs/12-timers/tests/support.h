// What the tests of this lab share: timers that write down that they have fired, and heaps that are
// filled and looked through without the functions under test.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "contracts/channel.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/not_implemented.h"
#include "contracts/services/clock.h"
#include "contracts/timers.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace goro::testing {

using Numbers = std::vector<int>;
using Times = std::vector<std::int64_t>;

// A time that no clock reaches.
inline constexpr std::int64_t kNotToday = kMaxWhen / 2;

inline constexpr int kModifiedMark = kTimerHeaped | kTimerModified;
inline constexpr int kZombieMark = kTimerHeaped | kTimerModified | kTimerZombie;

// One timer that has fired.
struct Firing {
  int number = 0;
  std::uintptr_t seq = 0;
  std::int64_t delay = 0;
};

// A timer that writes down when it fires, and when nobody holds it any more.
struct Bell : RuntimeTimer {
  int number = 0;
  int freed = 0;  // how often nobody was left who held it
  bool locked_when_freed = false;
  std::vector<Firing>* log = nullptr;
  std::function<void()> then;  // called when it fires
};

inline void ring(void* arg, std::uintptr_t seq, std::int64_t delay) {
  auto* bell = static_cast<Bell*>(arg);
  bell->log->push_back({bell->number, seq, delay});
  if (bell->then) bell->then();
}

// The test's timers, numbered from 1, and what they did. The test holds each of them.
class Bells {
 public:
  // A timer that is in no heap; `when` 0: it is not set.
  Bell* add(std::int64_t when = 0, std::int64_t period = 0) {
    Bell& bell = bells_.emplace_back();
    bell.number = static_cast<int>(bells_.size());
    bell.log = &log_;
    bell.f = ring;
    bell.arg = &bell;
    bell.when = when;
    bell.period = period;
    bell.free_it = [](RuntimeTimer* t) {
      auto* freed = static_cast<Bell*>(t);
      ++freed->freed;
      if (freed->mu.try_lock()) {
        freed->mu.unlock();
      } else {
        freed->locked_when_freed = true;
      }
    };
    return &bell;
  }

  [[nodiscard]] const std::vector<Firing>& log() const { return log_; }
  // Who has fired, in this order.
  [[nodiscard]] Numbers fired() const {
    Numbers numbers;
    for (const Firing& firing : log_) numbers.push_back(firing.number);
    return numbers;
  }
  [[nodiscard]] int times(const Bell* bell) const {
    int n = 0;
    for (const Firing& firing : log_) n += firing.number == bell->number ? 1 : 0;
    return n;
  }

 private:
  std::deque<Bell> bells_;
  std::vector<Firing> log_;
};

// -- heaps --

inline bool lock_is_free(RuntimeMutex& lock) {
  if (!lock.try_lock()) return false;
  lock.unlock();
  return true;
}

// Puts t into the heap as add_heap leaves it. A sorted list is a heap.
inline void place(Timers& ts, RuntimeTimer* t) {
  t->state = kTimerHeaped;
  t->astate.store(t->state);
  t->ts = &ts;
  t->hold();
  ts.heap.push_back({t, t->when});
  std::sort(ts.heap.begin(), ts.heap.end(),
            [](const Timers::Entry& a, const Timers::Entry& b) { return a.when < b.when; });
  ts.len.store(static_cast<std::uint32_t>(ts.heap.size()));
  ts.min_when_heap.store(ts.heap[0].when);
}

// What modify leaves of a timer in a heap.
inline void mark_modified(RuntimeTimer* t, std::int64_t when) {
  t->when = when;
  t->state = kTimerHeaped | kTimerModified;
  t->astate.store(t->state);
  const std::int64_t first = t->ts->min_when_modified.load();
  if (first == 0 || when < first) t->ts->min_when_modified.store(when);
}

// Makes it the timer of a channel.
inline void let_it_send_to(RuntimeTimer* t, const Channel<time_point>& channel) {
  t->is_chan = true;
  t->arg = channel.ref().get();
}

// Sends a time to the channel if there is room, as such a timer's function does.
inline void send_a_time(void* channel, std::uintptr_t /*seq*/ = 0, std::int64_t /*delay*/ = 0) {
  time_point time;
  chansend(static_cast<Hchan*>(channel), &time, false);
}

// What stop leaves of a timer in a heap.
inline void mark_zombie(RuntimeTimer* t) {
  t->when = 0;
  t->state = kTimerHeaped | kTimerModified | kTimerZombie;
  t->astate.store(t->state);
  t->ts->zombies.fetch_add(1);
}

// The place of t in the heap, or null.
inline const Timers::Entry* entry_of(const Timers& ts, const RuntimeTimer* t) {
  for (const Timers::Entry& entry : ts.heap) {
    if (entry.timer == t) return &entry;
  }
  return nullptr;
}

// The entries as numbers of the test's timers, from the first place to the last.
inline Numbers numbers_in(const Timers& ts) {
  Numbers numbers;
  for (const Timers::Entry& entry : ts.heap) {
    numbers.push_back(static_cast<const Bell*>(entry.timer)->number);
  }
  return numbers;
}
inline Numbers sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

inline Times times_in(const Timers& ts) {
  Times times;
  for (const Timers::Entry& entry : ts.heap) times.push_back(entry.when);
  return times;
}

// Entries without timers, for the functions that only compare.
inline void fill_with(Timers& ts, const Times& times) {
  ts.heap.clear();
  for (const std::int64_t when : times) ts.heap.push_back({nullptr, when});
}

// "" if no entry is later than its children, else a sentence about the first that is.
inline std::string order_error(const Timers& ts) {
  for (std::size_t i = 1; i < ts.heap.size(); ++i) {
    const std::size_t parent = (i - 1) / 4;
    if (ts.heap[parent].when <= ts.heap[i].when) continue;
    std::ostringstream text;
    text << "the entry at " << parent << " (time " << ts.heap[parent].when
         << ") is later than its child at " << i << " (time " << ts.heap[i].when
         << "), in a heap of " << ts.heap.size();
    return text.str();
  }
  return "";
}

// "" if everything that must always hold of a heap whose lock is free does, else what does not.
inline std::string heap_error(const Timers& ts) {
  if (std::string wrong = order_error(ts); !wrong.empty()) return wrong;
  std::int64_t earliest = 0;
  std::int32_t zombies = 0;
  for (const Timers::Entry& entry : ts.heap) {
    const RuntimeTimer* t = entry.timer;
    std::ostringstream text;
    text << "timer " << static_cast<const Bell*>(t)->number << " is in the heap, ";
    if (t->ts != &ts) {
      text << "but its ts says otherwise";
      return text.str();
    }
    if ((t->state & kTimerHeaped) == 0) {
      text << "but its state (" << int{t->state} << ") has no heaped";
      return text.str();
    }
    if (t->state != t->astate.load()) {
      text << "its state is " << int{t->state} << ", but others see " << int{t->astate.load()};
      return text.str();
    }
    if (t->when != entry.when && (t->state & kTimerModified) == 0) {
      text << "for another time (" << entry.when << ") than its own (" << t->when
           << "), and has no mark";
      return text.str();
    }
    if ((t->state & kTimerZombie) != 0) {
      ++zombies;
    } else if (earliest == 0 || t->when < earliest) {
      earliest = t->when;
    }
  }
  std::ostringstream text;
  if (ts.zombies.load() != zombies) {
    text << "there are " << zombies << " zombies in the heap, but `zombies` says "
         << ts.zombies.load();
  } else if (ts.min_when_heap.load() != (ts.heap.empty() ? 0 : ts.heap[0].when)) {
    text << "min_when_heap is " << ts.min_when_heap.load() << ", but the first entry's time is "
         << (ts.heap.empty() ? 0 : ts.heap[0].when);
  } else if (earliest != 0 && (ts.wake_time() == 0 || ts.wake_time() > earliest)) {
    text << "a timer is set for " << earliest << ", but wake_time() says " << ts.wake_time()
         << ": it would be overlooked";
  }
  return text.str();
}

// -- who sleeps until when --

// Makes it look as if an M slept in poll_until.
inline void somebody_sleeps_until(std::int64_t until) {
  sched.lastpoll.store(0);
  sched.poll_until.store(until);
  sched.poll_broken.store(0);
}
// Was it woken since the last question?
inline bool was_woken() {
  return sched.poll_broken.exchange(0) != 0;
}

// -- on one P --

// On a goroutine, at one P: all others run until they wait or have ended.
inline void let_others_run() {
  for (int i = 0; i < 20; ++i) yield();
}

}  // namespace goro::testing
