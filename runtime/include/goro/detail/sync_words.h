// What Mutex, RWMutex, WaitGroup, Cond and Semaphore are made of. Not for programs.
#pragma once

#include <cstdint>

#include "goro/detail/atomic.h"

namespace goro {

// Go: internal/sync.Mutex.
// [mutex_words]
struct MutexWords {
  // Bits 0 to 2: locked, woken, starving; from bit 3 on: how many wait.
  detail::Atomic<std::int32_t> state{0};
  detail::Atomic<std::uint32_t> sema{0};
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

namespace detail {

NotifyList* notify_list_new();
void notify_list_delete(NotifyList* list);

void semaphore_acquire(Atomic<std::uint32_t>* count);
bool semaphore_try_acquire(Atomic<std::uint32_t>* count);
void semaphore_release(Atomic<std::uint32_t>* count);

}  // namespace detail

}  // namespace goro
