// goro::atomic in a build that explores schedules: std::atomic, and every access is a point where
// another thread may get the turn.
//
// The interface is std::atomic's, with one more parameter at the end of each function that nobody
// passes: the place of the call. Operators cannot have it, so what they do has no place in a story.
// Accesses take effect one after the other, whatever their memory order: a simulation explores the
// sequentially consistent interleavings only.
#pragma once

#include <atomic>
#include <cstring>
#include <type_traits>

#include "simulation/point.h"

namespace goro::sim {

// A value as a story shows it.
template <typename T>
std::uint64_t bits(const T& value) {
  std::uint64_t out = 0;
  if constexpr (std::is_integral_v<T>) {
    out = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  } else if constexpr (sizeof(T) <= sizeof(out)) {
    __builtin_memcpy(&out, &value, sizeof(T));
  }
  return out;
}

void wait_for_change(const volatile void* word, Where where);

template <typename T>
class Atomic {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  constexpr Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}  // NOLINT(google-explicit-constructor)
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;
  ~Atomic() = default;

  [[nodiscard]] bool is_lock_free() const noexcept { return value_.is_lock_free(); }

  T load(std::memory_order order = std::memory_order_seq_cst, Where where = Where::here()) const {
    point(Op::load, 0, where);
    const T result = value_.load(order);
    tell(bits(result));
    return result;
  }

  void store(T value, std::memory_order order = std::memory_order_seq_cst,
             Where where = Where::here()) {
    point(Op::store, bits(value), where);
    value_.store(value, order);
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst,
             Where where = Where::here()) {
    point(Op::exchange, bits(value), where);
    const T result = value_.exchange(value, order);
    tell(bits(result));
    return result;
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure, Where where = Where::here()) {
    point(Op::compare_exchange, bits(desired), where);
    const bool swapped = value_.compare_exchange_strong(expected, desired, success, failure);
    tell(swapped ? 1 : 0);
    return swapped;
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order order = std::memory_order_seq_cst,
                               Where where = Where::here()) {
    return compare_exchange_strong(expected, desired, order, order_of_failure(order), where);
  }
  // Never fails for no reason here.
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                             std::memory_order failure, Where where = Where::here()) {
    return compare_exchange_strong(expected, desired, success, failure, where);
  }
  bool compare_exchange_weak(T& expected, T desired,
                             std::memory_order order = std::memory_order_seq_cst,
                             Where where = Where::here()) {
    return compare_exchange_strong(expected, desired, order, where);
  }

  // What is added to a pointer is a count of elements.
  using Difference = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;

  T fetch_add(Difference by, std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::here()) {
    point(Op::fetch_add, bits(by), where);
    const T result = value_.fetch_add(by, order);
    tell(bits(result));
    return result;
  }
  T fetch_sub(Difference by, std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::here()) {
    point(Op::fetch_sub, bits(by), where);
    const T result = value_.fetch_sub(by, order);
    tell(bits(result));
    return result;
  }
  T fetch_and(T mask, std::memory_order order = std::memory_order_seq_cst,
              Where where = Where::here()) {
    point(Op::fetch_and, bits(mask), where);
    const T result = value_.fetch_and(mask, order);
    tell(bits(result));
    return result;
  }
  T fetch_or(T mask, std::memory_order order = std::memory_order_seq_cst,
             Where where = Where::here()) {
    point(Op::fetch_or, bits(mask), where);
    const T result = value_.fetch_or(mask, order);
    tell(bits(result));
    return result;
  }

  void wait(T old, std::memory_order order = std::memory_order_seq_cst,
            Where where = Where::here()) const {
    if (!active) {
      value_.wait(old, order);
      return;
    }
    while (load(order, where) == old) wait_for_change(this, where);
  }
  void notify_one() { value_.notify_one(); }  // the store has woken whoever waits, when simulated
  void notify_all() { value_.notify_all(); }

  operator T() const {  // NOLINT(google-explicit-constructor)
    return load(std::memory_order_seq_cst, kNowhere);
  }
  T operator=(T value) {
    store(value, std::memory_order_seq_cst, kNowhere);
    return value;
  }
  T operator++() { return fetch_add(1, std::memory_order_seq_cst, kNowhere) + 1; }
  T operator++(int) { return fetch_add(1, std::memory_order_seq_cst, kNowhere); }
  T operator--() { return fetch_sub(1, std::memory_order_seq_cst, kNowhere) - 1; }
  T operator--(int) { return fetch_sub(1, std::memory_order_seq_cst, kNowhere); }
  T operator+=(Difference by) { return fetch_add(by, std::memory_order_seq_cst, kNowhere) + by; }
  T operator-=(Difference by) { return fetch_sub(by, std::memory_order_seq_cst, kNowhere) - by; }

 private:
  static constexpr std::memory_order order_of_failure(std::memory_order order) {
    return order == std::memory_order_acq_rel   ? std::memory_order_acquire
           : order == std::memory_order_release ? std::memory_order_relaxed
                                                : order;
  }

  void point(Op op, std::uint64_t value, Where where) const {
    if (__builtin_expect(static_cast<long>(active), 0) != 0) before(op, this, value, where);
  }
  static void tell(std::uint64_t result) {
    if (__builtin_expect(static_cast<long>(active), 0) != 0) after(result);
  }

  std::atomic<T> value_;
};

}  // namespace goro::sim
