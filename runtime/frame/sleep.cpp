// A goroutine that sleeps. Go: time.go (timeSleep, resetForSleep, goroutineReady).
//
// Its timer is in its own frame: nothing is allocated, and the frame is there for as long as the
// timer can fire. It is set by the unlock function, when the goroutine is off its stack and the
// stack stays where it is. Set earlier, it could fire while the goroutine still runs. The clock is
// read there too: a goroutine's stack has no room for it.
#include <chrono>

#include "contracts/lifecycle.h"
#include "contracts/services/clock.h"
#include "contracts/services/goroutine.h"
#include "contracts/timers.h"
#include "frame/trace.h"
#include "goro/detail/park.h"
#include "goro/time.h"

namespace goro {

namespace {

// [sleep_struct]
struct Sleep {
  RuntimeTimer timer;
  std::int64_t until;  // nanotime(); if `from_now`, nanoseconds
  bool from_now;
};
// [/sleep_struct]

void wake_sleeper(void* arg, std::uintptr_t /*seq*/, std::int64_t /*delay*/) {
  auto* gp = static_cast<G*>(arg);
  trace_goroutine(trace::Kind::readied, gp);
  ready(gp);
}

// [sleep]
bool set_for_sleep(G* gp, void* lock) {
  auto* sleep = static_cast<Sleep*>(lock);
  std::int64_t when = sleep->until;
  if (sleep->from_now) {
    if (__builtin_add_overflow(nanotime(), when, &when)) when = kMaxWhen;
  } else if (when <= nanotime()) {
    return false;
  }
  sleep->timer.modify(when, 0, wake_sleeper, gp, 0);
  return true;
}
// [/sleep]

void park_until(std::int64_t until, bool from_now) {
  Sleep sleep;
  sleep.until = until;
  sleep.from_now = from_now;
  gopark(set_for_sleep, &sleep, WaitReason::sleep);
}

}  // namespace

namespace detail {

void sleep_until(std::int64_t when) {
  current_goroutine();
  park_until(when, false);
}

void sleep_for(std::int64_t nanoseconds) {
  current_goroutine();
  if (nanoseconds > 0) park_until(nanoseconds, true);
}

}  // namespace detail

time_point now() {
  std::int64_t time = 0;
  systemstack([&] { time = nanotime(); });
  return time_point(std::chrono::nanoseconds(time));
}

}  // namespace goro
