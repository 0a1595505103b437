// A call from the very end of a stack: whoever is called has no room there (x86-64).
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>

#include "contracts/getg.h"

namespace goro::bars {

[[gnu::noinline]] inline double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Four additions at a time that do not wait for each other, a sixth of a nanosecond or so: what a
// call costs is not hidden behind them. No loop, whose end a processor would guess or not.
template <int kTimes>
[[gnu::noinline]] std::uint64_t work(std::uint64_t a) {
  std::uint64_t b = 0;
  std::uint64_t c = 0;
  std::uint64_t d = 0;
  asm volatile(".rept %c4\n\taddq $1, %0\n\taddq $3, %1\n\taddq $5, %2\n\taddq $7, %3\n\t.endr"
               : "+r"(a), "+r"(b), "+r"(c), "+r"(d)
               : "i"(kTimes));
  return a + b + c + d;
}
struct Work {
  int about_ns;
  std::uint64_t (*function)(std::uint64_t);
};
inline constexpr Work kWork[] = {
    {0, work<0>}, {1, work<6>}, {10, work<60>}, {30, work<180>}, {100, work<600>}};

[[gnu::noinline]] inline std::uintptr_t callees_stack() {
  return getg()->stack.hi;
}

inline std::uintptr_t stack_pointer() {
  std::uintptr_t sp = 0;
  asm volatile("movq %%rsp, %0" : "=r"(sp));
  return sp;
}

struct Calls {
  Work work;
  bool at_the_end;  // so that nobody who is called has room
  bool on_a_further_segment = false;
  double ns = 0;  // of each
};

// Whom this calls, it calls from the very end of the stack. Nothing in it is library code, which
// would have to have room.
[[gnu::noinline]] inline void call(Calls* calls) {
  constexpr double kSlice = 200'000;
  const std::uintptr_t limit = getg()->stack.lo + kStackGuard;
  const std::size_t taken = calls->at_the_end ? (stack_pointer() - limit) & ~std::size_t{15} : 16;
  unsigned char rest[taken];  // NOLINT(clang-diagnostic-vla-extension)
  asm volatile("" : : "r"(rest) : "memory");
  calls->on_a_further_segment = callees_stack() != getg()->stack.hi;
  const auto count = static_cast<long>(kSlice / (3 + calls->work.about_ns));
  std::uint64_t x = 1;
  double start = thread_ns();  // whatever happens the first time has happened after that
  for (int pass = 0; pass < 2; ++pass) {
    start = thread_ns();
    for (long i = count; i > 0; --i) x = calls->work.function(x);
  }
  calls->ns = (thread_ns() - start) / static_cast<double>(count);
  asm volatile("" : : "r"(x));
}

}  // namespace goro::bars
