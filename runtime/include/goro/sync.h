// Waiting for each other. Go: package sync.
//
// WaitGroup is a handle: capture it by value. Mutex, RWMutex, Once, Cond and Semaphore are objects
// that do not move; whoever shares one keeps it where it stays: in the heap, in a global, or on a
// stack that is fixed.
#pragma once

#include <cstdint>
#include <utility>

#include "goro/detail/sync_words.h"
#include "goro/go.h"

namespace goro {

// A handle: copies refer to the same group. done() may be called by any thread. Go: sync.WaitGroup.
class WaitGroup {
 public:
  WaitGroup() : words_(new WaitGroupWords) {}
  WaitGroup(const WaitGroup& other) noexcept : words_(other.words_) {
    // relaxed: whoever copies a handle has one.
    if (words_ != nullptr) words_->handles.fetch_add(1, std::memory_order_relaxed);
  }
  WaitGroup(WaitGroup&& other) noexcept : words_(std::exchange(other.words_, nullptr)) {}
  WaitGroup& operator=(WaitGroup other) noexcept {
    std::swap(words_, other.words_);
    return *this;
  }
  ~WaitGroup() {
    if (words_ == nullptr) return;
    // The last handle's owner sees that nobody else has one, without writing.
    if (words_->handles.load(std::memory_order_acquire) == 1 ||
        words_->handles.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete words_;
    }
  }

  // Throws Panic: "sync: negative WaitGroup counter"; "sync: WaitGroup misuse: Add called
  // concurrently with Wait".
  void add(int delta) const { wait_group_add(words_, delta); }
  void done() const { add(-1); }
  // Returns when the counter is 0. Throws Panic "sync: WaitGroup is reused before previous Wait has
  // returned".
  void wait() const { wait_group_wait(words_); }

  // add(1), and a goroutine that runs f and then counts down, whichever way f ends.
  template <typename F>
  [[gnu::always_inline]] void go(SpawnOptions options, F&& f) const {
    add(1);
    goro::go(options, Task<std::decay_t<F>>{*this, std::forward<F>(f)});
  }
  template <typename F>
  [[gnu::always_inline]] void go(F&& f) const {
    go(SpawnOptions{}, std::forward<F>(f));
  }

 private:
  template <typename Fn>
  struct Task;

  WaitGroupWords* words_;
};

template <typename Fn>
struct WaitGroup::Task {
  WaitGroup group;
  Fn fn;

  void operator()() {
    struct Done {
      const WaitGroup& group;
      ~Done() { group.done(); }
    } done{group};
    fn();
  }
};

// One goroutine at a time. Any goroutine may unlock it. Usually whoever comes first has it; a
// goroutine that has waited for more than a millisecond gets it handed over. Works with
// std::lock_guard. Go: sync.Mutex.
class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() { mutex_lock(&words_); }
  bool try_lock() { return mutex_try_lock(&words_); }
  // Ends the program when it is not locked: `fatal error: sync: unlock of unlocked mutex`.
  void unlock() { mutex_unlock(&words_); }

 private:
  MutexWords words_;
};

// Many readers or one writer. A writer that waits keeps new readers out. Go: sync.RWMutex.
class RWMutex {
 public:
  constexpr RWMutex() = default;
  RWMutex(const RWMutex&) = delete;
  RWMutex& operator=(const RWMutex&) = delete;

  void lock_shared() {
    if (words_.reader_count.fetch_add(1, std::memory_order_acquire) + 1 < 0) rw_rlock_slow(&words_);
  }
  bool try_lock_shared() {
    std::int32_t readers = words_.reader_count.load(std::memory_order_relaxed);
    while (readers >= 0) {
      if (words_.reader_count.compare_exchange_weak(readers, readers + 1, std::memory_order_acquire,
                                                    std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  // Ends the program when nobody reads: `fatal error: sync: RUnlock of unlocked RWMutex`.
  void unlock_shared() {
    const std::int32_t now = words_.reader_count.fetch_sub(1, std::memory_order_release) - 1;
    if (now < 0) rw_runlock_slow(&words_, now);
  }

  void lock() { rw_lock(&words_); }
  bool try_lock();
  // Ends the program when nobody writes: `fatal error: sync: Unlock of unlocked RWMutex`.
  void unlock() { rw_unlock(&words_); }

 private:
  RWMutexWords words_;
};

// Go: sync.Once.
class Once {
 public:
  constexpr Once() = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  // The first call runs f(), all others return when it has run. Done also if f throws. f must not
  // come here again: that waits for ever.
  template <typename F>
  void do_once(F&& f) {
    if (done_.load(std::memory_order_acquire)) return;
    struct Unlock {
      Mutex& mutex;
      ~Unlock() { mutex.unlock(); }
    };
    mutex_.lock();
    Unlock unlock{mutex_};
    if (done_.load(std::memory_order_relaxed)) return;
    struct Done {
      detail::Atomic<bool>& done;
      ~Done() { done.store(true, std::memory_order_release); }
    } done{done_};
    std::forward<F>(f)();
  }

 private:
  detail::Atomic<bool> done_{false};
  Mutex mutex_;
};

// Go: sync.Cond.
class Cond {
 public:
  explicit Cond(Mutex& mutex) : mutex_(mutex), waiters_(detail::notify_list_new()) {}
  Cond(const Cond&) = delete;
  Cond& operator=(const Cond&) = delete;
  ~Cond() { detail::notify_list_delete(waiters_); }

  // Unlocks the mutex, waits for signal or broadcast, and locks it again. Never returns for no
  // reason, but what was waited for may have passed: wait in a loop.
  void wait() {
    const std::uint32_t ticket = notify_list_add(waiters_);
    mutex_.unlock();
    notify_list_wait(waiters_, ticket);
    mutex_.lock();
  }
  // Wakes the one that has waited longest, if anyone waits. With the mutex held or not.
  void signal() { notify_list_notify_one(waiters_); }
  void broadcast() { notify_list_notify_all(waiters_); }

 private:
  Mutex& mutex_;
  NotifyList* waiters_;
};

// Counts permits. Whoever waits gets one in the order of arrival, but newcomers may be quicker.
// release and try_acquire may be called by any thread.
class Semaphore {
 public:
  explicit constexpr Semaphore(std::uint32_t permits) : count_(permits) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void acquire() { detail::semaphore_acquire(&count_); }
  bool try_acquire() { return detail::semaphore_try_acquire(&count_); }
  void release() { detail::semaphore_release(&count_); }

 private:
  detail::Atomic<std::uint32_t> count_;
};

}  // namespace goro
