// A field that one thread owns and others may look at.
#pragma once

namespace goro {

// Reads and writes like a plain T for its owner, without a locked instruction. Others (a dump,
// sysmon, a thief) may look() at any time and see a value that is out of date; they must be right
// with that, or get their order from elsewhere. So it is no place where schedules differ, and not
// built on goro::atomic. Writes release and look() acquires: whoever sees a pointer sees what it
// points to constructed.
template <typename T>
class Observed {
 public:
  constexpr Observed(T value = T{}) : value_(value) {}
  Observed(const Observed& other) : value_(other.get()) {}
  Observed& operator=(const Observed& other) { return *this = other.get(); }
  Observed& operator=(T value) {
    __atomic_store(&value_, &value, __ATOMIC_RELEASE);
    return *this;
  }

  [[nodiscard]] T get() const {
    T value;
    __atomic_load(&value_, &value, __ATOMIC_RELAXED);
    return value;
  }
  // For others than the owner.
  [[nodiscard]] T look() const {
    T value;
    __atomic_load(&value_, &value, __ATOMIC_ACQUIRE);
    return value;
  }
  operator T() const { return get(); }
  T operator->() const { return get(); }

  // By the owner only: a load and a store.
  Observed& operator++() { return *this = static_cast<T>(get() + 1); }
  Observed& operator--() { return *this = static_cast<T>(get() - 1); }

 private:
  T value_;
};

}  // namespace goro
