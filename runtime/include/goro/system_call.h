// Calls that may block in the kernel.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace goro {

namespace detail {
void system_call(void (*fn)(void*), void* arg);
}

// Runs f() and returns its result; while it blocks, other goroutines get this one's P, and as many
// threads are started as are blocked (10,000 at most). f runs on the thread's own large stack, so
// it may call any library function and capture by reference; it must not block on anything of the
// runtime's. It may return anything, void and move-only types too, and throw. Afterwards errno is
// what f left, also when the goroutine goes on on another thread; read it with last_error().
//
// If run() returns first, f is finished on its thread all the same, and nothing after it. On a
// thread that is not the runtime's, it is an ordinary call.
// Go: what package syscall does around every call (entersyscall, exitsyscall).
template <typename F>
auto system_call(F&& f) {
  using Result = std::decay_t<std::invoke_result_t<F&>>;
  struct Call {
    F& f;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<Result>, char, Result>> result;
  } call{f, nullptr, std::nullopt};
  detail::system_call(
      [](void* arg) {
        auto* c = static_cast<Call*>(arg);
        try {
          if constexpr (std::is_void_v<Result>) {
            c->f();
          } else {
            c->result.emplace(c->f());
          }
        } catch (...) {
          c->error = std::current_exception();
        }
      },
      &call);
  if (call.error) std::rethrow_exception(std::move(call.error));
  if constexpr (!std::is_void_v<Result>) return std::move(*call.result);
}

// This thread's errno, asked for anew: a compiler may keep errno's address across a call, but after
// a system_call the goroutine can be on another thread.
int last_error();

}  // namespace goro
