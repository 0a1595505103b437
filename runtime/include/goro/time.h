// Sleeping, and doing things later.
//
// Times are std::chrono::steady_clock's; any duration will do, and one that is too long for the
// clock means never.
//
// Timers and tickers are handles. Their channels are as in Go 1.23: they hold nothing (size() and
// capacity() are 0), and what was due before a stop() or a reset() is not received after it. A
// timer that nobody can receive from any more goes away by itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "goro/channel.h"
#include "goro/detail/pin.h"
#include "goro/panic.h"

namespace goro {

using time_point = std::chrono::steady_clock::time_point;

namespace detail {

// In nanoseconds; what does not fit is the largest or the smallest number. In whole numbers if the
// duration is, because on ARM64 long double is a library's business.
template <typename Rep, typename Period>
constexpr std::int64_t nanoseconds_of(std::chrono::duration<Rep, Period> d) {
  using Count = std::conditional_t<std::is_floating_point_v<Rep>, double, std::int64_t>;
  using Wide = std::chrono::duration<Count, Period>;
  const Wide wide = d;
  if constexpr (std::ratio_less_equal_v<std::nano, Period>) {
    constexpr Wide kMost = std::chrono::duration_cast<Wide>(std::chrono::nanoseconds::max());
    if (wide >= kMost) return std::numeric_limits<std::int64_t>::max();
    if (wide <= -kMost) return std::numeric_limits<std::int64_t>::min();
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(wide).count();
}

void sleep_for(std::int64_t nanoseconds);
void sleep_until(std::int64_t when);

// A channel's timer; every: 0, or the period.
void timer_start(Hchan* c, std::int64_t after, std::int64_t every);
bool timer_reset(Hchan* c, std::int64_t after, std::int64_t every);
bool timer_stop(Hchan* c);

// What after_func will call.
struct TimerFunc {
  virtual ~TimerFunc() = default;
  virtual void run() = 0;
};
struct FuncTimer;
// Takes over `func`. The result is counted; a timer that is set counts itself.
FuncTimer* func_timer_new(std::int64_t after, TimerFunc* func);
void func_timer_hold(FuncTimer* t);
void func_timer_drop(FuncTimer* t);
bool func_timer_reset(FuncTimer* t, std::int64_t after);
bool func_timer_stop(FuncTimer* t);

class FuncTimerRef {
 public:
  explicit FuncTimerRef(FuncTimer* t = nullptr) : t_(t) {}
  FuncTimerRef(const FuncTimerRef& other) noexcept : t_(other.t_) {
    if (t_ != nullptr) func_timer_hold(t_);
  }
  FuncTimerRef(FuncTimerRef&& other) noexcept : t_(std::exchange(other.t_, nullptr)) {}
  FuncTimerRef& operator=(FuncTimerRef other) noexcept {
    std::swap(t_, other.t_);
    return *this;
  }
  ~FuncTimerRef() {
    if (t_ != nullptr) func_timer_drop(t_);
  }
  [[nodiscard]] FuncTimer* get() const { return t_; }

 private:
  FuncTimer* t_;
};

}  // namespace detail

// The present time. Go: time.Now (its monotonic part).
time_point now();

// Pauses the goroutine for at least `d`; not at all if that is not more than 0. Throws Panic
// outside of goro::run. Go: time.Sleep.
template <typename Rep, typename Period>
void sleep(std::chrono::duration<Rep, Period> d) {
  detail::sleep_for(detail::nanoseconds_of(d));
}

// Pauses the goroutine until `t`.
inline void sleep_until(time_point t) {
  detail::sleep_until(detail::nanoseconds_of(t.time_since_epoch()));
}

// Sends the time once, `d` from now; or, from after_func, starts a goroutine. Go: time.Timer.
class Timer {
 public:
  template <typename Rep, typename Period>
  explicit Timer(std::chrono::duration<Rep, Period> d) : channel_(1) {
    detail::timer_start(channel_.ref().get(), detail::nanoseconds_of(d), 0);
  }

  // Nil if it is after_func's.
  [[nodiscard]] ReceiveChannel<time_point> channel() const { return channel_; }

  // It will not fire. True if it was set, and nobody has received from it. after_func's: its
  // goroutine may have begun if this is false, or have ended. Go: Timer.Stop.
  bool stop() const {
    if (func_.get() != nullptr) return detail::func_timer_stop(func_.get());
    return detail::timer_stop(channel_.ref().get());
  }

  // It will fire (again) `d` from now, and at no other time. The result is as of stop. Go:
  // Timer.Reset.
  template <typename Rep, typename Period>
  bool reset(std::chrono::duration<Rep, Period> d) const {
    const std::int64_t after = detail::nanoseconds_of(d);
    if (func_.get() != nullptr) return detail::func_timer_reset(func_.get(), after);
    return detail::timer_reset(channel_.ref().get(), after, 0);
  }

 private:
  explicit Timer(detail::FuncTimer* func) : channel_(nullptr), func_(func) {}
  template <typename Rep, typename Period, typename F>
  friend Timer after_func(std::chrono::duration<Rep, Period> d, F&& f);

  Channel<time_point> channel_;
  detail::FuncTimerRef func_;
};

// A channel on which the time is sent once, `d` from now. Go: time.After.
template <typename Rep, typename Period>
ReceiveChannel<time_point> after(std::chrono::duration<Rep, Period> d) {
  return Timer(d).channel();
}

// Starts a goroutine that runs f(), `d` from now; unless it is stopped. It need not be kept. Go:
// time.AfterFunc.
template <typename Rep, typename Period, typename F>
Timer after_func(std::chrono::duration<Rep, Period> d, F&& f) {
  struct Func final : detail::TimerFunc {
    explicit Func(F&& from) : fn(std::forward<F>(from)) {}
    void run() override { fn(); }
    std::decay_t<F> fn;
  };
  detail::pin_locals_of(f);
  auto func = std::make_unique<Func>(std::forward<F>(f));
  Timer timer(detail::func_timer_new(detail::nanoseconds_of(d), func.get()));
  (void)func.release();  // the timer's now
  return timer;
}

// Sends the time again and again. Leaves out times for a receiver that is slow. Go: time.Ticker.
class Ticker {
 public:
  // Throws Panic("non-positive interval for NewTicker").
  template <typename Rep, typename Period>
  explicit Ticker(std::chrono::duration<Rep, Period> d) : channel_(1) {
    const std::int64_t every = detail::nanoseconds_of(d);
    if (every <= 0) throw Panic("non-positive interval for NewTicker");
    detail::timer_start(channel_.ref().get(), every, every);
  }

  [[nodiscard]] ReceiveChannel<time_point> channel() const { return channel_; }

  // No more ticks. The channel stays open. Go: Ticker.Stop.
  void stop() const { detail::timer_stop(channel_.ref().get()); }

  // From now on every `d`. Throws Panic("non-positive interval for Ticker.Reset"). Go:
  // Ticker.Reset.
  template <typename Rep, typename Period>
  void reset(std::chrono::duration<Rep, Period> d) const {
    const std::int64_t every = detail::nanoseconds_of(d);
    if (every <= 0) throw Panic("non-positive interval for Ticker.Reset");
    detail::timer_reset(channel_.ref().get(), every, every);
  }

 private:
  Channel<time_point> channel_;
};

}  // namespace goro
