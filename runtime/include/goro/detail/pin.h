// What the headers know of pins. Not for programs.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace goro::detail {

// A value of this type holds no address; so much is certain from the type.
template <typename T>
inline constexpr bool kHoldsNoAddress = std::is_arithmetic_v<T> || std::is_enum_v<T> ||
                                        sizeof(T) < sizeof(void*);
template <typename T, std::size_t n>
inline constexpr bool kHoldsNoAddress<std::array<T, n>> = kHoldsNoAddress<T>;
template <typename Rep, typename Period>
inline constexpr bool kHoldsNoAddress<std::chrono::duration<Rep, Period>> = kHoldsNoAddress<Rep>;
template <typename Clock, typename Duration>
inline constexpr bool kHoldsNoAddress<std::chrono::time_point<Clock, Duration>> =
    kHoldsNoAddress<Duration>;

void pin_what_it_points_at(const void* object, std::size_t size);

// The value is about to be where others see it: if it points at locals of this goroutine, their
// stack does not move until they are gone.
template <typename T>
void pin_locals_of(const T& value) {
#if defined(__x86_64__)
  if constexpr (!kHoldsNoAddress<T>) {
    // Of a pointer, too, it is the value itself that is looked at.
    pin_what_it_points_at(std::addressof(value),
                          sizeof(T));  // NOLINT(bugprone-sizeof-expression)
  }
#else
  static_cast<void>(value);
#endif
}

// True if it counts, and unpin is to be called.
bool pin();
void unpin();

}  // namespace goro::detail
