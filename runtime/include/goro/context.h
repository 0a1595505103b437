// Telling many goroutines to stop. Go: package context.
//
//   auto [context, cancel] = with_timeout(background(), 2s);
//   go([context] {
//     select(on_receive(work, …), on_receive(context.done(), …));
//   });
//   cancel();
//
// A context ends when it is cancelled, when its deadline passes, or when its parent ends.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <variant>

#include "goro/channel.h"
#include "goro/time.h"

namespace goro {

// Why a context has ended; as a std::error_code, `context canceled` and `context deadline
// exceeded`. They equal std::errc::operation_canceled and std::errc::timed_out.
enum class ContextError { canceled = 1, deadline_exceeded = 2 };
std::error_code make_error_code(ContextError error);

namespace detail {
class ContextCore;
struct ContextAccess;
}  // namespace detail

// A handle: copies refer to the same context.
class Context {
 public:
  // Closed when the context ends. The nil channel if it never does. Go: Context.Done.
  [[nodiscard]] ReceiveChannel<std::monostate> done() const;
  // Zero before the context has ended. Go: Context.Err.
  [[nodiscard]] std::error_code error() const;
  // When it will end at the latest. Go: Context.Deadline.
  [[nodiscard]] std::optional<time_point> deadline() const;

 private:
  friend struct detail::ContextAccess;
  Context() = default;

  std::shared_ptr<detail::ContextCore> core_;  // none: it never ends
};

// Ends its context. May be called again, and by any goroutine. Go: CancelFunc.
class Cancel {
 public:
  void operator()() const;

 private:
  friend struct detail::ContextAccess;
  Cancel() = default;

  std::shared_ptr<detail::ContextCore> core_;
};

struct CancellableContext {
  Context context;
  Cancel cancel;
};

// Never ends.
Context background();

CancellableContext with_cancel(const Context& parent);
CancellableContext with_deadline(const Context& parent, time_point deadline);

template <typename Rep, typename Period>
CancellableContext with_timeout(const Context& parent, std::chrono::duration<Rep, Period> d) {
  const std::chrono::nanoseconds timeout(detail::nanoseconds_of(d));
  const time_point begin = now();
  // What would be beyond the clock is at its end.
  return with_deadline(parent,
                       timeout > time_point::max() - begin ? time_point::max() : begin + timeout);
}

}  // namespace goro

template <>
struct std::is_error_code_enum<goro::ContextError> : std::true_type {};
