// What Mutex, RWMutex, WaitGroup, Cond and Semaphore are made of. Not for programs.
#pragma once

#include <atomic>
#include <cstdint>

#include "goro/detail/atomic.h"

namespace goro {

// MutexWords::state. Go: mutexLocked, mutexWoken, mutexStarving, mutexWaiterShift.
inline constexpr std::int32_t kMutexLocked = 1;
inline constexpr std::int32_t kMutexWoken = 2;  // somebody is awake and wants it: wake no other
inline constexpr std::int32_t kMutexStarving = 4;
inline constexpr int kMutexWaiterShift = 3;

// Go: internal/sync.Mutex.
// [mutex_words]
struct MutexWords {
  // Bits 0 to 2: locked, woken, starving; from bit 3 on: how many wait.
  detail::Atomic<std::int32_t> state{0};
  detail::Atomic<std::uint32_t> sema{0};
  // How often it was locked. Written by whoever has it, read by those who want it (stand_back).
  // Nothing depends on it but how long they wait, so it is no point of a simulation.
  std::atomic<std::uint32_t> taken{0};
};
// [/mutex_words]

// Go: sync.RWMutex.
struct RWMutexWords {
  MutexWords w;                                  // held by a writer, from asking to the end
  detail::Atomic<std::uint32_t> writer_sem{0};   // a writer waits for readers
  detail::Atomic<std::uint32_t> reader_sem{0};   // readers wait for a writer
  detail::Atomic<std::int32_t> reader_count{0};  // readers; less kRWMutexMaxReaders: a writer asks
  detail::Atomic<std::int32_t> reader_wait{0};   // readers that a writer still waits for
};

// Go: sync.WaitGroup, and how many handles there are.
struct WaitGroupWords {
  // Upper half: the counter; lower half: how many wait.
  detail::Atomic<std::uint64_t> state{0};
  detail::Atomic<std::uint32_t> sema{0};
  detail::Atomic<std::uint32_t> handles{1};
};

struct NotifyList;

// The slow ways, and whatever waits. Slot 11; contracts/sync.h says what they do.
void mutex_lock_slow(MutexWords* m);
void mutex_unlock_slow(MutexWords* m, std::int32_t now);
void rw_rlock_slow(RWMutexWords* rw);
void rw_runlock_slow(RWMutexWords* rw, std::int32_t now);
void rw_lock(RWMutexWords* rw);
void rw_unlock(RWMutexWords* rw);
void wait_group_add(WaitGroupWords* wg, int delta);
void wait_group_wait(WaitGroupWords* wg);
std::uint32_t notify_list_add(NotifyList* list);
void notify_list_wait(NotifyList* list, std::uint32_t ticket);
void notify_list_notify_one(NotifyList* list);
void notify_list_notify_all(NotifyList* list);

// The quick ways of a mutex.

// relaxed, and no addition in one step: it is called with the mutex held.
inline void mutex_count(MutexWords* m) {
  m->taken.store(m->taken.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// [lock]
inline void mutex_lock(MutexWords* m) {
  std::int32_t seen = 0;
  // The second exchange: nobody has it, but somebody waits, or was woken and is not here yet.
  if (!m->state.compare_exchange_strong(seen, kMutexLocked, std::memory_order_acquire,
                                        std::memory_order_relaxed) &&
      ((seen & (kMutexLocked | kMutexStarving)) != 0 ||
       !m->state.compare_exchange_strong(seen, seen | kMutexLocked, std::memory_order_acquire,
                                         std::memory_order_relaxed))) {
    mutex_lock_slow(m);
  }
  mutex_count(m);
}
// [/lock]

inline bool mutex_try_lock(MutexWords* m) {
  std::int32_t seen = m->state.load(std::memory_order_relaxed);
  if ((seen & (kMutexLocked | kMutexStarving)) != 0 ||
      !m->state.compare_exchange_strong(seen, seen | kMutexLocked, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
    return false;
  }
  mutex_count(m);
  return true;
}

inline void mutex_unlock(MutexWords* m) {
  const std::int32_t now =
      m->state.fetch_sub(kMutexLocked, std::memory_order_release) - kMutexLocked;
  // Somebody is awake and wants it: there is nobody to wake, whoever else may wait.
  const bool somebody_comes = (now & (kMutexLocked | kMutexWoken | kMutexStarving)) == kMutexWoken;
  if (now != 0 && !somebody_comes) mutex_unlock_slow(m, now);
}

namespace detail {

NotifyList* notify_list_new();
void notify_list_delete(NotifyList* list);

void semaphore_acquire(Atomic<std::uint32_t>* count);
bool semaphore_try_acquire(Atomic<std::uint32_t>* count);
void semaphore_release(Atomic<std::uint32_t>* count);

}  // namespace detail

}  // namespace goro
