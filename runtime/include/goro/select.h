// Waiting for several channels at once. Go: select.
//
//   select(on_receive(results, [&](std::optional<int> v) { … }),
//          on_send(requests, request, [&] { … }),
//          otherwise([&] { … }));
//
// Exactly one case runs: one of those that are ready, each with the same chance; if none is, the
// one of otherwise(), or else the goroutine waits. A case of a nil channel is never ready. The
// handler runs on the caller's stack after the operation, so it may capture by reference.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "goro/channel.h"
#include "goro/detail/channel.h"
#include "goro/detail/pin.h"

namespace goro {

class SelectCase;

namespace detail {

// What a channel handle lets through.
template <typename Handle>
struct HandleTraits {};
template <typename T>
struct HandleTraits<Channel<T>> {
  using Received = T;
  using Sent = T;
};
template <typename T>
struct HandleTraits<ReceiveChannel<T>> {
  using Received = T;
};
template <typename T>
struct HandleTraits<SendChannel<T>> {
  using Sent = T;
};

template <typename Handle>
using Received = typename HandleTraits<std::remove_cvref_t<Handle>>::Received;
template <typename Handle>
using Sent = typename HandleTraits<std::remove_cvref_t<Handle>>::Sent;

// The channel of a case: of a handle that outlives the case, or with a count of its own.
class BorrowedChannel {
 public:
  explicit BorrowedChannel(const ChannelRef& ref) : c_(ref.get()) {}
  [[nodiscard]] Hchan* get() const { return c_; }

 private:
  Hchan* c_;
};
template <typename Handle>
using ChannelOfCase =
    std::conditional_t<std::is_lvalue_reference_v<Handle>, BorrowedChannel, ChannelRef>;

template <typename T, typename Ref, typename F>
class ReceiveCase {
 public:
  static constexpr bool is_default = false;
  using Owning = ReceiveCase<T, ChannelRef, F>;

  ReceiveCase(Ref channel, F handler)
      : channel_(std::move(channel)), handler_(std::move(handler)) {}

  Scase scase() {
    place_.clear();
    return {channel_.get(), place_.get(), false};
  }
  void run(bool received) { handler_(place_.take(received)); }
  Owning own() && { return {ChannelRef::share(channel_.get()), std::move(handler_)}; }

 private:
  Ref channel_;
  F handler_;
  Place<T> place_;
};

template <typename T, typename Ref, typename F>
class SendCase {
 public:
  static constexpr bool is_default = false;
  using Owning = SendCase<T, ChannelRef, F>;

  template <typename V>
  SendCase(Ref channel, V&& value, F handler)
      : channel_(std::move(channel)),
        handler_(std::move(handler)),
        value_(std::forward<V>(value)) {}

  Scase scase() {
    pin_locals_of(value_);
    return {channel_.get(), std::addressof(value_), true};
  }
  void run(bool /*received*/) { handler_(); }
  Owning own() && {
    return {ChannelRef::share(channel_.get()), std::move(value_), std::move(handler_)};
  }

 private:
  Ref channel_;
  F handler_;
  T value_;
};

template <typename F>
class DefaultCase {
 public:
  static constexpr bool is_default = true;
  using Owning = DefaultCase;

  explicit DefaultCase(F handler) : handler_(std::move(handler)) {}
  static Scase scase() { return {}; }
  void run(bool /*received*/) { handler_(); }
  Owning own() && { return std::move(*this); }

 private:
  F handler_;
};

template <typename C>
struct IsCase : std::false_type {};
template <typename T, typename Ref, typename F>
struct IsCase<ReceiveCase<T, Ref, F>> : std::true_type {};
template <typename T, typename Ref, typename F>
struct IsCase<SendCase<T, Ref, F>> : std::true_type {};
template <typename F>
struct IsCase<DefaultCase<F>> : std::true_type {};

template <typename C>
concept StaticCase = IsCase<std::remove_cvref_t<C>>::value;
template <typename C>
concept AnyCase = StaticCase<C> || std::is_same_v<std::remove_cvref_t<C>, SelectCase>;

// A select with one case is an operation like any other, and waits as one.
SelectResult select_one(const Scase& scase, bool block);

}  // namespace detail

// Receives from `channel`, and calls handler(std::optional<T>): nullopt if it is closed and empty.
template <typename Handle, typename F>
requires requires {
  typename detail::Received<Handle>;
}
auto on_receive(Handle&& channel, F&& handler) {
  using T = detail::Received<Handle>;
  using Fn = std::decay_t<F>;
  static_assert(std::is_invocable_v<Fn&, std::optional<T>>,
                "a handler of on_receive takes a std::optional<T>");
  using Ref = detail::ChannelOfCase<Handle>;
  return detail::ReceiveCase<T, Ref, Fn>(Ref(channel.ref()), std::forward<F>(handler));
}

// Sends `value` to `channel`, and calls handler().
template <typename Handle, typename V, typename F>
requires requires {
  typename detail::Sent<Handle>;
}
auto on_send(Handle&& channel, V&& value, F&& handler) {
  using T = detail::Sent<Handle>;
  using Fn = std::decay_t<F>;
  static_assert(std::is_invocable_v<Fn&>, "a handler of on_send takes nothing");
  using Ref = detail::ChannelOfCase<Handle>;
  return detail::SendCase<T, Ref, Fn>(Ref(channel.ref()), std::forward<V>(value),
                                      std::forward<F>(handler));
}

// If no other case is ready, calls handler() at once.
template <typename F>
auto otherwise(F&& handler) {
  using Fn = std::decay_t<F>;
  static_assert(std::is_invocable_v<Fn&>, "a handler of otherwise takes nothing");
  return detail::DefaultCase<Fn>(std::forward<F>(handler));
}

// Any of the three, for lists that are known only at run time. It is in the heap, so a
// handler that captures by reference pins a growable stack, as a closure of go() does; on ARM64 it
// must not. It may be used again and again; a value to send is gone when it was sent.
class SelectCase {
 public:
  template <detail::StaticCase C>
  SelectCase(C scase) {
    detail::pin_locals_of(scase);  // before the heap has their addresses
    case_ = std::make_unique<Holder<typename C::Owning>>(std::move(scase).own());
  }

  [[nodiscard]] bool is_default() const { return case_->is_default; }
  Scase scase() { return case_->scase(); }
  void run(bool received) { case_->run(received); }

 private:
  struct Base {
    bool is_default = false;
    Base() = default;
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual Scase scase() = 0;
    virtual void run(bool received) = 0;
  };
  template <typename C>
  struct Holder final : Base {
    C scase_;
    explicit Holder(C scase) : scase_(std::move(scase)) { is_default = C::is_default; }
    Scase scase() override { return scase_.scase(); }
    void run(bool received) override { scase_.run(received); }
  };

  std::unique_ptr<Base> case_;
};

// Runs one of the cases, and returns its index. Throws Panic("send on closed channel") if that is
// the case that was chosen; whatever its handler throws; Panic for more than one otherwise(), or
// more than 65536 cases. By a goroutine.
std::size_t select(std::span<SelectCase> cases);

// Waits for ever.
[[noreturn]] inline void select() {
  detail::block();
}

template <typename... Cases>
requires(sizeof...(Cases) > 0 && (detail::StaticCase<Cases> && ...)) std::size_t
    select(Cases&&... cases) {
  constexpr std::size_t kCases = sizeof...(Cases);
  constexpr std::size_t kDefaults = (std::size_t{std::remove_cvref_t<Cases>::is_default} + ...);
  static_assert(kDefaults <= 1, "a select has at most one otherwise()");
  static_assert(kCases <= 65536, "a select has at most 65536 cases");

  Scase scases[kCases] = {cases.scase()...};
  SelectResult result;
  if constexpr (kCases == kDefaults) {
    // otherwise() alone.
  } else if constexpr (kCases - kDefaults == 1) {
    std::size_t only = 0;
    if constexpr (kDefaults == 1) {
      constexpr bool kIsDefault[] = {std::remove_cvref_t<Cases>::is_default...};
      if (kIsDefault[0]) only = 1;
    }
    result = detail::select_one(scases[only], kDefaults == 0);
    if (result.index >= 0) result.index = static_cast<int>(only);
  } else {
    std::uint16_t order[2 * kCases];
    result = selectgo(scases, order, static_cast<int>(kCases), kDefaults == 0);
  }

  // The index of the case that runs, and of the one that is asked.
  std::size_t chosen = static_cast<std::size_t>(result.index);
  std::size_t index = 0;
  const auto run_if_chosen = [&](auto& scase) {
    using Case = std::remove_cvref_t<decltype(scase)>;
    if (Case::is_default ? result.index < 0 : chosen == index) {
      chosen = index;
      scase.run(result.received);
      return true;
    }
    ++index;
    return false;
  };
  static_cast<void>((run_if_chosen(cases) || ...));
  return chosen;
}

}  // namespace goro
