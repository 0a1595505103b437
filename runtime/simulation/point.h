// Where a simulated thread may lose its turn. See simulation.h for the whole.
#pragma once

#include <cstdint>

#include "goro/no_grow.h"

namespace goro::sim {

// What a thread does at a point.
enum class Op : std::uint8_t {
  load,
  store,
  exchange,
  compare_exchange,
  fetch_add,
  fetch_sub,
  fetch_and,
  fetch_or,
  wait_change,   // waits until somebody writes the word (a RuntimeMutex that is held)
  relax,         // a moment's rest in a loop that waits for somebody
  rest,          // sleeps for a while
  futex_sleep,   //
  futex_wakeup,  //
  start,         // starts a thread
  join,          // waits for a thread's end
  end,           // ends
  mark,          // GORO_SIMULATION_POINT
};

// A line of source. The compiler fills it in where the call is written, through any number of
// default arguments.
struct Where {
  const char* file;
  const char* function;
  std::uint32_t line;

  static constexpr Where here(const char* file = __builtin_FILE(),
                              const char* function = __builtin_FUNCTION(),
                              std::uint32_t line = __builtin_LINE()) {
    return {file, function, line};
  }
};

// Of what has no place that would tell anybody anything.
inline constexpr Where kNowhere{nullptr, nullptr, 0};

// Set while a schedule runs. Plain: it changes only while this process has one thread of control.
extern bool active;

// Before an access to `address`: others may run before this returns, and nobody does between the
// return and the access. `value` is what will be stored, added and so on. Any stack, also one with
// no more room than a function without a check may use.
GORO_NO_GROW void before(Op op, const volatile void* address, std::uint64_t value, Where where);

// After it: what was read. For the story only.
GORO_NO_GROW void after(std::uint64_t result);

}  // namespace goro::sim
