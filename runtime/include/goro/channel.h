// Channels: typed queues that goroutines wait on. Go: chan.
//
// This is the simple form that stands until the lab on channels: one lock for every operation, and
// a value that has to wait does so in the heap. frame/simple/README.md says what else is simpler.
#pragma once

#include <cstddef>
#include <deque>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "goro/detail/park.h"
#include "goro/panic.h"

namespace goro {

template <typename T>
class SendChannel;
template <typename T>
class ReceiveChannel;

namespace detail {

template <typename Integer>
std::size_t channel_capacity(Integer capacity) {
  static_assert(std::is_integral_v<Integer>, "a channel's capacity is a whole number");
  if constexpr (std::is_signed_v<Integer>) {
    if (capacity < 0) throw Panic("makechan: size out of range");
  }
  constexpr unsigned long long kMost = 1ULL << 47;
  if (static_cast<unsigned long long>(capacity) > kMost) throw Panic("makechan: size out of range");
  return static_cast<std::size_t>(capacity);
}

template <typename T>
class ChannelCore {
 public:
  explicit ChannelCore(std::size_t capacity) : capacity_(capacity) {}

  void send(T&& value) {
    G* gp = current_goroutine();
    auto waiter = std::make_unique<Waiter>(gp);
    waiter->value.emplace(std::move(value));
    Operation operation{this, waiter.get(), Outcome::blocked};
    attempt(&operation, &ChannelCore::try_send_locked);
    if (operation.outcome == Outcome::blocked) {
      wait(&operation, Waiting::chan_send, [](void* arg) {
        auto* op = static_cast<Operation*>(arg);
        return op->core->commit(op, &ChannelCore::try_send_locked, &op->core->senders_);
      });
      if (operation.outcome == Outcome::blocked) {
        operation.outcome = waiter->success ? Outcome::done : Outcome::closed;
      }
    }
    if (operation.outcome == Outcome::closed) throw Panic("send on closed channel");
  }

  bool try_send(T& value) {
    Waiter waiter(nullptr);
    Operation operation{this, &waiter, Outcome::blocked, &value};
    attempt(&operation, &ChannelCore::try_send_locked);
    if (operation.outcome == Outcome::closed) throw Panic("send on closed channel");
    return operation.outcome == Outcome::done;
  }

  std::optional<T> receive() {
    G* gp = current_goroutine();
    auto waiter = std::make_unique<Waiter>(gp);
    Operation operation{this, waiter.get(), Outcome::blocked};
    attempt(&operation, &ChannelCore::try_receive_locked);
    if (operation.outcome == Outcome::blocked) {
      wait(&operation, Waiting::chan_receive, [](void* arg) {
        auto* op = static_cast<Operation*>(arg);
        return op->core->commit(op, &ChannelCore::try_receive_locked, &op->core->receivers_);
      });
    }
    return std::move(waiter->value);
  }

  bool try_receive(std::optional<T>& out) {
    Waiter waiter(nullptr);
    Operation operation{this, &waiter, Outcome::blocked};
    attempt(&operation, &ChannelCore::try_receive_locked);
    if (operation.outcome == Outcome::blocked) return false;
    out = std::move(waiter.value);
    return true;
  }

  void close() {
    bool twice = false;
    auto work = [&] {
      lock_.lock();
      twice = closed_;
      closed_ = true;
      std::deque<Waiter*> woken;
      if (!twice) {
        // The order of Go: receivers, then senders, readied last to first.
        for (Waiter* w : receivers_) woken.push_front(w);
        for (Waiter* w : senders_) woken.push_front(w);
        receivers_.clear();
        senders_.clear();
      }
      lock_.unlock();
      for (Waiter* w : woken) make_ready(w->gp);
    };
    on_system_stack([](void* arg) { (*static_cast<decltype(work)*>(arg))(); }, &work);
    if (twice) throw Panic("close of closed channel");
  }

  std::size_t size() {
    std::size_t n = 0;
    auto work = [&] {
      lock_.lock();
      n = buffer_.size();
      lock_.unlock();
    };
    on_system_stack([](void* arg) { (*static_cast<decltype(work)*>(arg))(); }, &work);
    return n;
  }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  enum class Outcome { blocked, done, closed };

  struct Waiter {
    explicit Waiter(G* waiting) : gp(waiting) {}
    G* gp;
    std::optional<T> value;
    bool success = false;
  };

  struct Operation {
    ChannelCore* core;
    Waiter* waiter;
    Outcome outcome;
    T* direct = nullptr;  // a value to send that stays with its owner if it cannot be sent
  };

  using Step = Outcome (ChannelCore::*)(Operation*);

  void attempt(Operation* operation, Step step) {
    auto work = [&] {
      lock_.lock();
      operation->outcome = (this->*step)(operation);
      // lock_ was released by the step if it woke somebody; see unlock_and_ready.
      if (operation->outcome == Outcome::blocked) lock_.unlock();
    };
    on_system_stack([](void* arg) { (*static_cast<decltype(work)*>(arg))(); }, &work);
  }

  // The goroutine is off its stack. Something may have come in between: look again, under the lock,
  // and only then join the queue.
  bool commit(Operation* operation, Step step, std::deque<Waiter*>* queue) {
    Waiter* waiter = operation->waiter;
    lock_.lock();
    const Outcome outcome = (this->*step)(operation);
    if (outcome != Outcome::blocked) {
      operation->outcome = outcome;
      return false;
    }
    queue->push_back(waiter);
    lock_.unlock();
    return true;
  }

  void wait(Operation* operation, Waiting why, bool (*commit_fn)(void*)) {
    park(commit_fn, operation, why);
  }

  void unlock_and_ready(Waiter* waiter) {
    waiter->success = true;
    G* gp = waiter->gp;
    lock_.unlock();
    make_ready(gp);
  }

  // Both steps leave the lock held only when they return `blocked`.
  Outcome try_send_locked(Operation* operation) {
    if (closed_) {
      lock_.unlock();
      return Outcome::closed;
    }
    T* value = operation->direct != nullptr ? operation->direct : &*operation->waiter->value;
    if (!receivers_.empty()) {
      Waiter* receiver = receivers_.front();
      receivers_.pop_front();
      receiver->value.emplace(std::move(*value));
      unlock_and_ready(receiver);
      return Outcome::done;
    }
    if (buffer_.size() < capacity_) {
      buffer_.push_back(std::move(*value));
      lock_.unlock();
      return Outcome::done;
    }
    return Outcome::blocked;
  }

  Outcome try_receive_locked(Operation* operation) {
    std::optional<T>* out = &operation->waiter->value;
    if (!buffer_.empty()) {
      out->emplace(std::move(buffer_.front()));
      buffer_.pop_front();
      if (senders_.empty()) {
        lock_.unlock();
        return Outcome::done;
      }
      Waiter* sender = senders_.front();
      senders_.pop_front();
      buffer_.push_back(std::move(*sender->value));
      unlock_and_ready(sender);
      return Outcome::done;
    }
    if (!senders_.empty()) {
      Waiter* sender = senders_.front();
      senders_.pop_front();
      out->emplace(std::move(*sender->value));
      unlock_and_ready(sender);
      return Outcome::done;
    }
    if (closed_) {
      lock_.unlock();
      return Outcome::closed;
    }
    return Outcome::blocked;
  }

  SystemLock lock_;
  const std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> buffer_;
  std::deque<Waiter*> senders_;
  std::deque<Waiter*> receivers_;
};

inline void block_for_ever(Waiting why) {
  current_goroutine();
  for (;;) park(nullptr, nullptr, why);
}

}  // namespace detail

// A handle: copies refer to the same channel. The last one destroys the values that are left
// inside.
template <typename T>
class Channel {
 public:
  Channel() : core_(std::make_shared<detail::ChannelCore<T>>(0)) {}
  template <typename Integer>
  requires std::is_integral_v<Integer>
  explicit Channel(Integer capacity)
      : core_(std::make_shared<detail::ChannelCore<T>>(detail::channel_capacity(capacity))) {}
  explicit Channel(std::nullptr_t) {}

  // Throws Panic("send on closed channel"). Blocks for ever on the nil channel.
  void send(T value) const {
    if (!core_) detail::block_for_ever(detail::Waiting::chan_send_nil);
    core_->send(std::move(value));
  }

  // nullopt: closed, and nothing left. Blocks for ever on the nil channel.
  std::optional<T> receive() const {
    if (!core_) detail::block_for_ever(detail::Waiting::chan_receive_nil);
    return core_->receive();
  }

  // True if the value was sent; it is moved from only then.
  bool try_send(T& value) const { return core_ && core_->try_send(value); }
  bool try_send(T&& value) const { return core_ && core_->try_send(value); }

  // True if the operation happened: a value, or nullopt because the channel is closed and empty.
  bool try_receive(std::optional<T>& out) const { return core_ && core_->try_receive(out); }

  // Throws Panic("close of closed channel"), Panic("close of nil channel").
  void close() const {
    if (!core_) throw Panic("close of nil channel");
    core_->close();
  }

  [[nodiscard]] std::size_t size() const { return core_ ? core_->size() : 0; }
  [[nodiscard]] std::size_t capacity() const { return core_ ? core_->capacity() : 0; }
  explicit operator bool() const { return core_ != nullptr; }
  friend bool operator==(const Channel& a, const Channel& b) { return a.core_ == b.core_; }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(const Channel* channel) : channel_(channel) { ++*this; }
    Iterator() = default;
    T& operator*() { return *value_; }
    Iterator& operator++() {
      value_ = channel_->receive();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return !it.value_; }

   private:
    const Channel* channel_ = nullptr;
    std::optional<T> value_;
  };
  Iterator begin() const { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::shared_ptr<detail::ChannelCore<T>> core_;
};

// chan<- T
template <typename T>
class SendChannel {
 public:
  SendChannel(Channel<T> channel) : channel_(std::move(channel)) {}
  void send(T value) const { channel_.send(std::move(value)); }
  bool try_send(T& value) const { return channel_.try_send(value); }
  bool try_send(T&& value) const { return channel_.try_send(value); }
  void close() const { channel_.close(); }
  [[nodiscard]] std::size_t size() const { return channel_.size(); }
  [[nodiscard]] std::size_t capacity() const { return channel_.capacity(); }
  explicit operator bool() const { return static_cast<bool>(channel_); }
  friend bool operator==(const SendChannel& a, const SendChannel& b) = default;

 private:
  Channel<T> channel_;
};

// <-chan T
template <typename T>
class ReceiveChannel {
 public:
  ReceiveChannel(Channel<T> channel) : channel_(std::move(channel)) {}
  std::optional<T> receive() const { return channel_.receive(); }
  bool try_receive(std::optional<T>& out) const { return channel_.try_receive(out); }
  [[nodiscard]] std::size_t size() const { return channel_.size(); }
  [[nodiscard]] std::size_t capacity() const { return channel_.capacity(); }
  explicit operator bool() const { return static_cast<bool>(channel_); }
  friend bool operator==(const ReceiveChannel& a, const ReceiveChannel& b) = default;
  auto begin() const { return channel_.begin(); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Channel<T> channel_;
};

}  // namespace goro
