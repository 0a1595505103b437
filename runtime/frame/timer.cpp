// Timer, Ticker, after and after_func: what is behind the handles. Go: package time, sleep.go.
//
// A timer's memory is counted by itself (RuntimeTimer::holders), because the heap that it is in may
// keep a stopped one for a while. What a timer does to others is another matter:
//
//   - A channel's timer belongs to the channel. When the last handle of the channel goes, so does
//     the timer: it is stopped, under the lock under which it sends, so it never sends to a channel
//     that is gone.
//   - after_func's function is counted besides, by the handles, and by the timer as long as it is
//     set; fired, that count goes to the goroutine that runs the function. Whoever gives back the
//     last count destroys the function: always a goroutine, never the scheduler.
#include <chrono>
#include <cstring>

#include "contracts/channel.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/clock.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/timer_channel.h"
#include "contracts/timers.h"
#include "frame/settings.h"
#include "frame/timer.h"
#include "goro/detail/park.h"
#include "goro/time.h"

namespace goro {

namespace detail {

struct FuncTimer : RuntimeTimer {
  atomic<std::uint32_t> count{2};  // the handle that is returned, and the timer that is set
  TimerFunc* func = nullptr;
};

}  // namespace detail

namespace {

using detail::FuncTimer;

// On g0: the clock is library code.
std::int64_t time_after(std::int64_t after) {
  std::int64_t when = 0;
  if (after < 0) after = 0;
  return __builtin_add_overflow(nanotime(), after, &when) ? kMaxWhen : when;
}

// Counted: it lives until nobody holds it.
template <typename T>
T* timer_new() {
  auto* t = new T;
  t->free_it = [](RuntimeTimer* timer) { delete static_cast<T*>(timer); };
  return t;
}

void send_time(void* channel, std::uintptr_t /*seq*/, std::int64_t delay) {
  time_point time{std::chrono::nanoseconds(nanotime() - delay)};
  // A ticker whose last time was not received yet: this one is left out.
  chansend(static_cast<Hchan*>(channel), &time, false);
}

void run_func(void* room) {
  FuncTimer* t = nullptr;
  std::memcpy(&t, room, sizeof(FuncTimer*));  // NOLINT(bugprone-sizeof-expression): a pointer
  struct Drop {
    FuncTimer* t;
    ~Drop() { detail::func_timer_drop(t); }
  } drop{t};
  t->func->run();
}

// On g0, with a P.
void start_goroutine(void* arg, std::uintptr_t /*seq*/, std::int64_t /*delay*/) {
  P* pp = getm()->p;
  G* gp = newproc1(pp, Closure{run_func, arg}, default_stack_kind(), 0, 0);
  std::memcpy(gp->closure_room, &arg, sizeof(arg));
  gp->closure.object = gp->closure_room;
  runq_put(pp, gp, true);
  wakep();
}

// Nobody but the timer itself knows of it: its goroutine will never be, and destructors do not run.
void abandon_func(FuncTimer* t) {
  if (t->count.load(std::memory_order_relaxed) != 1) return;
  ::operator delete(static_cast<void*>(t->func));
  t->let_go();
}

}  // namespace

bool drain_timer_channel(void* channel) {
  time_point time;
  return chanrecv(static_cast<Hchan*>(channel), &time, false).received;
}

void timer_channel_freed(Hchan* c) {
  systemstack([&] {
    c->timer->stop();
    c->timer->let_go();
  });
  c->timer = nullptr;
}

void timers_abandon(P* pp) {
  for (const Timers::Entry& entry : pp->timers.heap) {
    RuntimeTimer* t = entry.timer;
    if (t->free_it == nullptr) continue;  // a sleeper's: it goes with the stack
    const bool set = t->when > 0;
    t->ts = nullptr;
    t->when = 0;
    t->state = 0;
    if (set && t->f == start_goroutine) abandon_func(static_cast<FuncTimer*>(t->arg));
    t->let_go();
  }
  pp->timers.heap.clear();
}

namespace detail {

void timer_start(Hchan* c, std::int64_t after, std::int64_t every) {
  current_goroutine();
  auto* t = timer_new<RuntimeTimer>();
  t->is_chan = true;
  c->timer = t;
  systemstack([&] { t->modify(time_after(after), every, send_time, c, 0); });
}

bool timer_reset(Hchan* c, std::int64_t after, std::int64_t every) {
  current_goroutine();
  bool pending = false;
  systemstack([&] { pending = c->timer->reset(time_after(after), every); });
  return pending;
}

bool timer_stop(Hchan* c) {
  bool pending = false;
  systemstack([&] { pending = c->timer->stop(); });
  return pending;
}

FuncTimer* func_timer_new(std::int64_t after, TimerFunc* func) {
  current_goroutine();
  auto* t = timer_new<FuncTimer>();
  t->func = func;
  systemstack([&] { t->modify(time_after(after), 0, start_goroutine, t, 0); });
  return t;
}

void func_timer_hold(FuncTimer* t) {
  t->count.fetch_add(1, std::memory_order_relaxed);
}

void func_timer_drop(FuncTimer* t) {
  if (t->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  delete t->func;
  t->let_go();
}

bool func_timer_reset(FuncTimer* t, std::int64_t after) {
  current_goroutine();
  func_timer_hold(t);  // for the timer: it may fire before we are back
  bool pending = false;
  systemstack([&] { pending = t->reset(time_after(after), 0); });
  if (pending) func_timer_drop(t);  // it was set, and counted, already
  return pending;
}

bool func_timer_stop(FuncTimer* t) {
  bool pending = false;
  systemstack([&] { pending = t->stop(); });
  if (pending) func_timer_drop(t);
  return pending;
}

}  // namespace detail

}  // namespace goro
