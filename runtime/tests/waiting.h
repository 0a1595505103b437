// What tests of channels and select share.
#pragma once

#include <atomic>
#include <memory>
#include <stdexcept>
#include <utility>

#include "goro/goro.h"

namespace goro::testing {

// At one P: starts f, and returns when it waits or has ended.
template <typename F>
void start(F f) {
  auto runs = std::make_shared<bool>(false);
  goro::go({.stack = goro::fixed_stack(1 << 16)}, [runs, f = std::move(f)] {
    *runs = true;
    f();
  });
  while (!*runs) goro::yield();
}

// Counts how many there are. Its move throws when it is told to.
struct Fragile {
  static inline std::atomic<int> alive{0};
  static inline std::atomic<int> throw_in{0};  // the how-manieth move from now throws
  int value;
  bool moved_from = false;

  explicit Fragile(int v) : value(v) { ++alive; }
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): it throws
  Fragile(Fragile&& other) : value(other.value) {
    if (throw_in > 0 && --throw_in == 0) throw std::runtime_error("a move failed");
    other.moved_from = true;
    ++alive;
  }
  Fragile& operator=(Fragile&&) = delete;
  ~Fragile() { --alive; }
};

}  // namespace goro::testing
