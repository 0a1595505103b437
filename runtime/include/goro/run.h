// Starting the runtime, and what a program may ask it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "goro/panic.h"

namespace goro {

struct Options {
  // Ps: goroutines that run at the same time. 0: GORO_MAXPROCS from the environment, else the
  // processors that this process may use (affinity and cgroup quota, as Go 1.25). Go: GOMAXPROCS.
  int procs = 0;
  // The largest stack a goroutine may grow to, in bytes. Go: debug.SetMaxStack.
  std::size_t max_stack = 1'000'000'000;
  // The stack of goroutine 1, in bytes. It is fixed: goroutine 1 may hand out addresses of its
  // locals.
  std::size_t main_stack = std::size_t{1} << 20;
};

namespace detail {
void run_main(void (*invoke)(void*), void* object, const Options& options);
}

// Starts the runtime on this thread, runs `main` as goroutine 1, and returns its result (0 if it is
// void) as soon as it returns. Other goroutines are abandoned: they never run again, their
// destructors do not run, and their memory is given back. May be called again afterwards, but not
// from inside: that throws Panic. An exception that leaves `main` ends the program, as in any
// goroutine. Go: func main.
template <typename F>
int run(F&& main, Options options = {}) {
  struct Call {
    F& main;
    int result = 0;
  } call{main};
  detail::run_main(
      [](void* object) {
        auto* c = static_cast<Call*>(object);
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
          c->main();
        } else {
          c->result = static_cast<int>(c->main());
        }
      },
      &call, options);
  return call.result;
}

// Lets others run first: the goroutine goes to the tail of the global queue. Go: runtime.Gosched.
void yield();

// Ends the running goroutine: destructors of its frames run. `catch (...)` must rethrow. Go:
// runtime.Goexit.
[[noreturn]] void exit_goroutine();

// Returns the number of Ps, and sets it first when n > 0 (the world stops for that; throws Panic
// when n is beyond 65,536). Go: runtime.GOMAXPROCS.
int max_procs(int n = 0);

// Goroutines that exist, whatever they do. Go: runtime.NumGoroutine.
std::size_t num_goroutine();

// 1 for goroutine 1; 0 on a thread that is not the runtime's.
std::uint64_t goroutine_id();

// Processors that this process may be scheduled on (affinity). Go: runtime.NumCPU.
int num_cpu();

// Every goroutine as text, as in a dump. The world stops for it. Go: runtime.Stack(buf, true).
std::string stacks();

}  // namespace goro
