// Running code that needs more room than a small stack has, without growing it.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "goro/detail/park.h"

namespace goro {

// Runs f() on the M's own large stack (64 KB or more free) and returns its result; an exception
// comes through. f may capture by reference; it must not block on anything of the runtime's. On the
// system stack already, or on a thread that is not the runtime's, it is an ordinary call.
template <typename F>
auto on_system_stack(F&& f) {
  using Result = std::invoke_result_t<F&>;
  struct Call {
    F& f;
    std::exception_ptr error;
    std::optional<std::conditional_t<std::is_void_v<Result>, char, Result>> result;
  } call{f, nullptr, std::nullopt};
  detail::on_system_stack(
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

}  // namespace goro
