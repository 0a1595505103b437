#pragma once

#include <chrono>

namespace goro::bars {

inline double now_ns() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(since_start).count();
}

}  // namespace goro::bars
