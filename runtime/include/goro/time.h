// Sleeping, and doing things later.
//
// Times are std::chrono::steady_clock's; any duration will do, and one that is too long for the
// clock means never.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

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

}  // namespace detail

// The present time. Go: time.Now (its monotonic part).
time_point now();

// Pauses the goroutine for at least `d`; not at all if that is not more than 0. Throws Panic outside
// of goro::run. Go: time.Sleep.
template <typename Rep, typename Period>
void sleep(std::chrono::duration<Rep, Period> d) {
  detail::sleep_for(detail::nanoseconds_of(d));
}

// Pauses the goroutine until `t`.
inline void sleep_until(time_point t) {
  detail::sleep_until(detail::nanoseconds_of(t.time_since_epoch()));
}

}  // namespace goro
