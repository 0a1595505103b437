// What the headers on channels know of the runtime. Not for programs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "goro/detail/pin.h"

namespace goro {

struct Hchan;

// What a receive, or a case of a select, came to.
struct ReceiveResult {
  bool selected = false;  // it happened
  bool received = false;  // with a value; else the channel is closed
};

// One case of a select.
// [scase]
struct Scase {
  Hchan* c = nullptr;    // null: never ready
  void* elem = nullptr;  // the value to send, or the place to receive
  bool is_send = false;
};
// [/scase]

struct SelectResult {
  int index = -1;  // -1: none was ready
  bool received = false;
};

// The core; contracts/channel.h and contracts/select.h are its specification.
Hchan* makechan(const struct ElementType* type, std::size_t capacity);
bool chansend(Hchan* c, void* elem, bool block);
ReceiveResult chanrecv(Hchan* c, void* elem, bool block);
void closechan(Hchan* c);
SelectResult selectgo(Scase* cases, std::uint16_t* order, int n, bool block);

// What the core must know of a channel's elements.
//
// A receiver's place is not an element: it is raw memory for trivial elements, and an empty
// std::optional<T> for others, so that a value is moved exactly once on its way out of the channel,
// and is still in the channel if that move throws.
struct ElementType {
  std::size_t size;
  std::size_t align;
  bool trivial;  // moved by copying its bytes, and never destroyed
  // From the element at `from` to raw memory; to a receiver's place. `from` is moved from
  // afterwards, or as it was if they throw.
  void (*move)(void* to, void* from);
  void (*deliver)(void* place, void* from);
  void (*destroy)(void* at);
};

namespace detail {

template <typename T>
inline constexpr bool kTrivialElement = std::is_trivially_copyable_v<T>;

template <typename T>
inline constexpr ElementType kElementType = {
    sizeof(T),
    alignof(T),
    kTrivialElement<T>,
    [](void* to, void* from) { new (to) T(std::move(*static_cast<T*>(from))); },
    [](void* place, void* from) {
      if constexpr (!kTrivialElement<T>) {
        static_cast<std::optional<T>*>(place)->emplace(std::move(*static_cast<T*>(from)));
      }
    },
    [](void* at) { static_cast<T*>(at)->~T(); },
};

// Where a receiver wants its value.
template <typename T, bool = kTrivialElement<T>>
class Place {
 public:
  Place() {}  // NOLINT: raw memory
  void* get() { return &value_; }
  std::optional<T> take(bool received) {
    return received ? std::optional<T>(value_) : std::nullopt;
  }
  void clear() {}

 private:
  union {
    T value_;
  };
};
template <typename T>
class Place<T, false> {
 public:
  void* get() { return &value_; }
  // Not moved before the receiver moves it.
  std::optional<T>&& take(bool /*received*/) { return std::move(value_); }
  // Before it is received into again.
  void clear() { value_.reset(); }

 private:
  std::optional<T> value_;
};

std::size_t chanlen(const Hchan* c);
std::size_t chancap(const Hchan* c);
// The last handle is gone: destroys the values that are left, and the channel.
void chanfree(Hchan* c);

// Waits for ever; `select (no cases)` in a dump.
[[noreturn]] void block();

[[noreturn]] void throw_size_out_of_range();

// A channel's first word counts its handles.
using HandleCount = std::atomic<std::uint64_t>;

// What every handle is: a counted reference, perhaps to no channel.
class ChannelRef {
 public:
  ChannelRef() = default;
  // Takes over the count of 1 that makechan left.
  explicit ChannelRef(Hchan* c) : c_(c) {}
  ChannelRef(const ChannelRef& other) noexcept : c_(other.c_) {
    // relaxed: whoever copies a handle has one.
    if (c_ != nullptr) count()->fetch_add(1, std::memory_order_relaxed);
  }
  ChannelRef(ChannelRef&& other) noexcept : c_(std::exchange(other.c_, nullptr)) {}
  ChannelRef& operator=(const ChannelRef& other) {
    ChannelRef copy(other);
    std::swap(c_, copy.c_);
    return *this;
  }
  ChannelRef& operator=(ChannelRef&& other) noexcept {
    ChannelRef moved(std::move(other));
    std::swap(c_, moved.c_);
    return *this;
  }
  ~ChannelRef() {
    // acq_rel: the last one sees what all others did to the channel.
    if (c_ != nullptr && count()->fetch_sub(1, std::memory_order_acq_rel) == 1) chanfree(c_);
  }

  [[nodiscard]] Hchan* get() const { return c_; }
  friend bool operator==(const ChannelRef& a, const ChannelRef& b) { return a.c_ == b.c_; }

  // Another reference to c.
  static ChannelRef share(Hchan* c) {
    ChannelRef ref;
    ref.c_ = c;
    if (c != nullptr) ref.count()->fetch_add(1, std::memory_order_relaxed);
    return ref;
  }

 private:
  [[nodiscard]] HandleCount* count() const { return reinterpret_cast<HandleCount*>(c_); }

  Hchan* c_ = nullptr;
};

template <typename Integer>
std::size_t channel_capacity(Integer capacity) {
  static_assert(std::is_integral_v<Integer>, "a channel's capacity is a whole number");
  if constexpr (std::is_signed_v<Integer>) {
    if (capacity < 0) throw_size_out_of_range();
  }
  return static_cast<std::size_t>(capacity);
}

template <typename T>
void send(const ChannelRef& ref, T& value) {
  pin_locals_of(value);
  chansend(ref.get(), std::addressof(value), true);
}

template <typename T>
bool try_send(const ChannelRef& ref, T& value) {
  pin_locals_of(value);
  return chansend(ref.get(), std::addressof(value), false);
}

template <typename T>
std::optional<T> receive(const ChannelRef& ref) {
  if constexpr (kTrivialElement<T>) {
    Place<T> place;
    return place.take(chanrecv(ref.get(), place.get(), true).received);
  } else {
    std::optional<T> value;
    chanrecv(ref.get(), &value, true);
    return value;
  }
}

template <typename T>
bool try_receive(const ChannelRef& ref, std::optional<T>& out) {
  if constexpr (kTrivialElement<T>) {
    Place<T> place;
    const ReceiveResult result = chanrecv(ref.get(), place.get(), false);
    if (result.selected) out = place.take(result.received);
    return result.selected;
  } else if constexpr (std::is_nothrow_move_constructible_v<T>) {
    // Whatever the old value's destructor does, it does it outside of the channel.
    std::optional<T> value;
    const ReceiveResult result = chanrecv(ref.get(), &value, false);
    if (!result.selected) return false;
    out.reset();
    if (value) out.emplace(std::move(*value));
    return true;
  } else {
    const ReceiveResult result = chanrecv(ref.get(), &out, false);
    if (result.selected && !result.received) out.reset();
    return result.selected;
  }
}

}  // namespace detail
}  // namespace goro
