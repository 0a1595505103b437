// A field that one thread owns and others may look at.
#pragma once

namespace goro {

// Reads and writes like a plain T for its owner, without a locked instruction. Others (a dump,
// sysmon, a thief) may look() at any time and see a value that is out of date; they must be right
// with that, or get their order from elsewhere. So it is no place where schedules differ, and not
// built on goro::atomic. Writes release and look() acquires: whoever sees a pointer sees what it
// points to constructed. Always inlined, because what may be preempted at no prologue uses it.
template <typename T>
class Observed {
 public:
  [[gnu::always_inline]] constexpr Observed(T value = T{}) : value_(value) {}
  [[gnu::always_inline]] Observed(const Observed& other) : value_(other.get()) {}
  [[gnu::always_inline]] Observed& operator=(const Observed& other) { return *this = other.get(); }
  [[gnu::always_inline]] Observed& operator=(T value) {
    __atomic_store(&value_, &value, __ATOMIC_RELEASE);
    return *this;
  }

  [[nodiscard, gnu::always_inline]] T get() const {
    T value;
    __atomic_load(&value_, &value, __ATOMIC_RELAXED);
    return value;
  }
  // For others than the owner.
  [[nodiscard, gnu::always_inline]] T look() const {
    T value;
    __atomic_load(&value_, &value, __ATOMIC_ACQUIRE);
    return value;
  }
  [[gnu::always_inline]] operator T() const { return get(); }
  [[gnu::always_inline]] T operator->() const { return get(); }

  // By the owner only: a load and a store.
  [[gnu::always_inline]] Observed& operator++() { return *this = static_cast<T>(get() + 1); }
  [[gnu::always_inline]] Observed& operator--() { return *this = static_cast<T>(get() - 1); }

 private:
  T value_;
};

}  // namespace goro
