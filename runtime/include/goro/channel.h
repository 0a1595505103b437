// Channels: typed queues that goroutines wait on. Go: chan.
//
// A channel without room for values (capacity 0) hands each value from the sender to the receiver;
// one with room lets senders go on until it is full. Waiting is first come, first served.
//
// T need only be movable. Values are moved under the channel's lock: T's move must not wait for
// anything of the runtime's, and must not touch a channel (that is fatal). It may throw: then the
// operation that ran it throws, the value is still where it was, and the channel is as if the
// operation had not begun. Whoever waits in the channel meanwhile never sees such an exception;
// when the value of a waiting sender cannot be moved into the buffer for it, the sender does it
// again itself, and throws.
//
// A goroutine that sends the address of a local keeps its stack where it is until the local's
// function has returned, if that is a growable one. (On x86-64. On ARM64 the stack moves, and the
// address is wrong then.) Not seen: an address that is sent as a number, or that is in the heap.
//
// On a thread that is not the runtime's, everything works as well; send and receive block that
// thread. See goro/foreign_thread.h.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "goro/detail/channel.h"
#include "goro/panic.h"

namespace goro {

template <typename T>
class SendChannel;
template <typename T>
class ReceiveChannel;

namespace detail {

// Of a range-for over a channel: each step receives.
template <typename T>
class ChannelIterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  explicit ChannelIterator(const ChannelRef* ref) : ref_(ref), value_(receive<T>(*ref)) {}
  ChannelIterator() = default;
  // `for (T v : ch)` takes the value over.
  using reference = std::conditional_t<kTrivialElement<T>, T&, T&&>;
  reference operator*() { return static_cast<reference>(*value_); }
  ChannelIterator& operator++() {
    value_.reset();
    if constexpr (kTrivialElement<T>) {
      value_ = receive<T>(*ref_);
    } else {
      chanrecv(ref_->get(), &value_, true);
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const ChannelIterator& it, std::default_sentinel_t) { return !it.value_; }

 private:
  const ChannelRef* ref_ = nullptr;
  std::optional<T> value_;
};

}  // namespace detail

// A handle: copies refer to the same channel. The last one destroys the values that are left
// inside.
template <typename T>
class Channel {
 public:
  Channel() : ref_(makechan(&detail::kElementType<T>, 0)) {}
  // Throws Panic("makechan: size out of range") if the capacity is negative or too large.
  template <typename Integer>
  requires std::is_integral_v<Integer>
  explicit Channel(Integer capacity)
      : ref_(makechan(&detail::kElementType<T>, detail::channel_capacity(capacity))) {}
  // The nil channel.
  explicit Channel(std::nullptr_t) {}

  // Throws Panic("send on closed channel"). Blocks for ever on the nil channel.
  void send(T value) const { detail::send(ref_, value); }

  // nullopt: closed, and nothing left. Blocks for ever on the nil channel.
  std::optional<T> receive() const { return detail::receive<T>(ref_); }

  // True if the value was sent; it is moved from only then. Never waits.
  bool try_send(T& value) const { return detail::try_send(ref_, value); }
  bool try_send(T&& value) const { return detail::try_send(ref_, value); }

  // True if the operation happened: a value, or nullopt because the channel is closed and empty.
  // `out` is changed only then.
  bool try_receive(std::optional<T>& out) const { return detail::try_receive(ref_, out); }

  // Throws Panic("close of closed channel"), Panic("close of nil channel").
  void close() const { closechan(ref_.get()); }

  // How many values are in the buffer, and how many there is room for.
  [[nodiscard]] std::size_t size() const { return detail::chanlen(ref_.get()); }
  [[nodiscard]] std::size_t capacity() const { return detail::chancap(ref_.get()); }

  // Not nil?
  explicit operator bool() const { return ref_.get() != nullptr; }
  friend bool operator==(const Channel& a, const Channel& b) { return a.ref_ == b.ref_; }

  // for (T v : ch) receives until the channel is closed.
  detail::ChannelIterator<T> begin() const { return detail::ChannelIterator<T>(&ref_); }
  std::default_sentinel_t end() const { return {}; }

  [[nodiscard]] const detail::ChannelRef& ref() const { return ref_; }

 private:
  friend class SendChannel<T>;
  friend class ReceiveChannel<T>;

  detail::ChannelRef ref_;
};

// A handle for sending only. Go: chan<- T
template <typename T>
class SendChannel {
 public:
  SendChannel(Channel<T> channel) : ref_(std::move(channel.ref_)) {}
  explicit SendChannel(std::nullptr_t) {}
  void send(T value) const { detail::send(ref_, value); }
  bool try_send(T& value) const { return detail::try_send(ref_, value); }
  bool try_send(T&& value) const { return detail::try_send(ref_, value); }
  void close() const { closechan(ref_.get()); }
  [[nodiscard]] std::size_t size() const { return detail::chanlen(ref_.get()); }
  [[nodiscard]] std::size_t capacity() const { return detail::chancap(ref_.get()); }
  explicit operator bool() const { return ref_.get() != nullptr; }
  friend bool operator==(const SendChannel& a, const SendChannel& b) { return a.ref_ == b.ref_; }

  [[nodiscard]] const detail::ChannelRef& ref() const { return ref_; }

 private:
  detail::ChannelRef ref_;
};

// A handle for receiving only. Go: <-chan T
template <typename T>
class ReceiveChannel {
 public:
  ReceiveChannel(Channel<T> channel) : ref_(std::move(channel.ref_)) {}
  explicit ReceiveChannel(std::nullptr_t) {}
  std::optional<T> receive() const { return detail::receive<T>(ref_); }
  bool try_receive(std::optional<T>& out) const { return detail::try_receive(ref_, out); }
  [[nodiscard]] std::size_t size() const { return detail::chanlen(ref_.get()); }
  [[nodiscard]] std::size_t capacity() const { return detail::chancap(ref_.get()); }
  explicit operator bool() const { return ref_.get() != nullptr; }
  friend bool operator==(const ReceiveChannel& a, const ReceiveChannel& b) {
    return a.ref_ == b.ref_;
  }
  detail::ChannelIterator<T> begin() const { return detail::ChannelIterator<T>(&ref_); }
  std::default_sentinel_t end() const { return {}; }

  [[nodiscard]] const detail::ChannelRef& ref() const { return ref_; }

 private:
  detail::ChannelRef ref_;
};

}  // namespace goro
