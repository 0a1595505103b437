#pragma once

#include <algorithm>
#include <chrono>

namespace goro::bars {

inline double now_ns() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(since_start).count();
}

// The fastest of many short slices of `count` switches together: an interrupt, or a neighbour on
// the same physical core, can only make a slice longer, and most slices are too short to meet one.
inline double fastest_slice(double (*switch_ns)(long), long count) {
  constexpr long kSwitches = 20'000;
  double best = 1e9;
  for (long done = 0; done < count; done += kSwitches) best = std::min(best, switch_ns(kSwitches));
  return best;
}

}  // namespace goro::bars
