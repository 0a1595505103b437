// Slot 11, sync: goroutines that wait for each other.
//
//   Mutex ─ RWMutex ─ WaitGroup ─ Semaphore        Cond
//                    │                               │
//          semacquire1, semrelease1               NotifyList (tickets)
//                    │
//          semtable: 251 SemaRoots, each a lock and a treap: address ─► who waits there, in order
//
// A Mutex is 12 bytes and knows only that somebody waits, not who. Who waits is kept by address, in
// a table that is as large as the program needs and no larger: a million mutexes that nobody waits
// for cost nothing but themselves.
//
// The semaphore below them is Go's, with one trick to know: the count is changed without any lock,
// and the lock is only for the lists. Somebody who waits says so first (nwait), and looks at the
// count then; somebody who releases changes the count first, and looks at nwait then. With
// sequential consistency one of the two sees the other.
//
// The slow ways run on a goroutine's stack, which may be small; locks are held between acquirem and
// releasem there (services/acquirem.h), or on g0.
//
// Go: sema.go; internal/sync/mutex.go; sync/rwmutex.go, waitgroup.go, cond.go.
#pragma once

#include <cstdint>

#include "contracts/atomic.h"
#include "contracts/lock.h"
#include "contracts/model.h"
#include "contracts/sudog.h"
#include "goro/detail/sync_words.h"

namespace goro {

// ---- semaphore.cpp ----

// One of the lists of waiters. Go: semaRoot. queue and dequeue are the frame's
// (frame/sema_root.cpp): a tree by address, a heap by random tickets; all that wait at one address
// hang from one node, first come first served. Both under `lock`.
// [sema_root]
struct alignas(kCacheLine) SemaRoot {
  RuntimeMutex lock;
  Sudog* treap = nullptr;
  // How many wait in this root. Changed under lock, looked at without.
  atomic<std::uint32_t> nwait{0};

  // s waits at addr: behind all others there, or, lifo, before them.
  void queue(atomic<std::uint32_t>* addr, Sudog* s, bool lifo);
  // The first that waits at addr, or null. Its ticket is 0.
  Sudog* dequeue(atomic<std::uint32_t>* addr);
};
// [/sema_root]

// The root for an address: (addr / 8) mod 251. Go: semtable.rootFor.
SemaRoot* root_for(const atomic<std::uint32_t>* addr);

// Counts *addr down if it is above 0. Any thread. Go: cansemacquire.
bool cansemacquire(atomic<std::uint32_t>* addr);

// Counts *addr down; waits for as long as it is 0. In this order:
//   1. cansemacquire: done.
//   2. gopark with an unlock function that, on g0, under the root's lock: counts nwait up
//   (seq_cst),
//      tries cansemacquire again (then counts nwait down, and the goroutine goes on at once), and
//      queues a sudog: its g, its elem is addr, its ticket 0.
//   3. Woken: a ticket says that the releaser has counted down for us; else cansemacquire, and if
//      somebody was quicker, again from 2.
// The sudog may be in the frame: while a goroutine is parked its stack stays where it is, and
// nobody knows the sudog before. lifo: queue at the head (who waits again has waited already). By a
// goroutine (current_goroutine() of goro/detail/park.h throws elsewhere). Go: semacquire1.
void semacquire1(atomic<std::uint32_t>* addr, bool lifo, WaitReason reason);

// Counts *addr up (seq_cst), and wakes one that waits there. nwait is 0: that was all. Else takes
// one out of the root, under its lock, and counts nwait down. handoff: tries cansemacquire in its
// name (its ticket becomes 1); then wake() (services/waiting.h), after which the sudog is not to be
// touched; and if it was handed over, and this is a goroutine without a lock of the runtime's
// (M::locks): goyield() (services/scheduling.h), so that the waiter, which is in runnext, runs now.
// Any thread. Go: semrelease1.
void semrelease1(atomic<std::uint32_t>* addr, bool handoff);

// ---- mutex.cpp ----

// Go: starvationThresholdNs.
inline constexpr std::int64_t kStarvationThreshold = 1'000'000;

// Mutex::lock when somebody has the mutex, or it is starving, or somebody was quicker. It begins
// with stand_back(m) (services/scheduling.h): others may be through with it in less time than
// parking takes. Then, until it has the mutex:
//   - Locked and not starving, and can_spin(tries) (services/scheduling.h): says that somebody is
//     awake (woken), if somebody waits and nobody has said so; do_spin(), again.
//   - Else one exchange: + locked unless it is starving; + a waiter if it is locked or starving;
//     + starving if this goroutine is starving and it is locked; − woken if it was this goroutine's
//     (else fatal "sync: inconsistent mutex state"). Failed: again, from a new look at the state,
//     after a stand_back(m), which lets the one who was quicker have the word for a while.
//   - Was neither locked nor starving: done. Else semacquire1, with the time of the first wait
//     noted before, lifo from the second wait on. Has waited for longer than kStarvationThreshold:
//     is starving from then on.
//   - Woken in a starving mutex: it is ours, and nobody has noted it. + locked, − a waiter, and −
//     starving if this goroutine is not starving, or was the last that waited: starvation mode is
//     dear, and ends as soon as it can. (Locked, woken, or no waiter: fatal as above.)
//   - Woken in another: this goroutine is the one that is awake; tries again, spinning anew.
// The clock is read on the system stack. By a goroutine. Go: Mutex.lockSlow.
void mutex_lock_slow(MutexWords* m);

// Mutex::unlock when something is left in the state, and not only that somebody is awake; `now` is
// the state after the subtraction. It was not locked: fatal "sync: unlock of unlocked mutex".
//   - Not starving: while somebody waits, and it is not locked, starving, or woken: one waiter less
//     and woken, by an exchange, and semrelease1 without handoff.
//   - Starving: semrelease1 with handoff. The mutex is not marked locked; nobody else takes it,
//     because it is starving.
// Any thread. Go: Mutex.unlockSlow.
void mutex_unlock_slow(MutexWords* m, std::int32_t now);

// ---- rw_mutex.cpp ----

// Go: rwmutexMaxReaders. A writer subtracts it from reader_count, and adds it at the end.
inline constexpr std::int32_t kRWMutexMaxReaders = 1 << 30;

// lock_shared has counted up and found a writer: waits (reader_sem, sync_rwmutex_rlock).
void rw_rlock_slow(RWMutexWords* rw);

// unlock_shared has counted down to `now`, less than 0. Nobody read (now is −1, or −1 −
// kRWMutexMaxReaders): fatal "sync: RUnlock of unlocked RWMutex". A writer waits: the last of those
// that it waits for (reader_wait) wakes it (writer_sem).
void rw_runlock_slow(RWMutexWords* rw, std::int32_t now);

// First the mutex among writers, w (mutex_lock, mutex_unlock: goro/detail/sync_words.h); then asks
// (reader_count), and waits for those who read now (reader_wait += their number, writer_sem,
// sync_rwmutex_lock) unless all of them have gone.
void rw_lock(RWMutexWords* rw);

// The readers that came meanwhile may read: reader_sem once for each. Nobody wrote (the count is
// kRWMutexMaxReaders or more): fatal "sync: Unlock of unlocked RWMutex". w last.
void rw_unlock(RWMutexWords* rw);

// ---- wait_group.cpp ----

// Adds delta to the counter (the upper half of state), in one step with a look at how many wait.
//   - Below 0: throw_panic("sync: negative WaitGroup counter") (services/waiting.h).
//   - Up from 0 while somebody waits, or, at 0 with somebody waiting, the state is another a moment
//     later: throw_panic("sync: WaitGroup misuse: Add called concurrently with Wait").
//   - 0, and somebody waits: state = 0, and semrelease1 for each.
// Any thread. Go: WaitGroup.Add.
void wait_group_add(WaitGroupWords* wg, int delta);

// The counter is 0: returns. Else counts itself among those who wait, in one step with another look
// at the counter, and waits (sema, sync_waitgroup_wait). The state is not 0 afterwards: throw_panic
// ("sync: WaitGroup is reused before previous Wait has returned"). By a goroutine. Go:
// WaitGroup.Wait.
void wait_group_wait(WaitGroupWords* wg);

// ---- notify_list.cpp ----

// Waiters with tickets. A ticket is drawn (wait) before the mutex is unlocked, so whoever signals
// after that finds it drawn, whether or not its owner sleeps already. Go: notifyList.
// [notify_list]
struct NotifyList {
  // The next ticket to be drawn. Drawn without the lock.
  atomic<std::uint32_t> wait{0};
  // The next ticket to be called. Changed under lock; looked at without it.
  atomic<std::uint32_t> notify{0};
  RuntimeMutex lock;
  Sudog* head = nullptr;
  Sudog* tail = nullptr;
};
// [/notify_list]

// Draws a ticket. Go: notifyListAdd.
std::uint32_t notify_list_add(NotifyList* list);

// Waits until `ticket` is called; not at all if it was already (tickets wrap around, so compare
// their difference with 0). gopark with an unlock function that, on g0, under the lock, looks at
// that, and puts a sudog at the end of the list. sync_cond_wait. By a goroutine. Go:
// notifyListWait.
void notify_list_wait(NotifyList* list, std::uint32_t ticket);

// Calls the next ticket, if one is drawn that was not called (one look without the lock, another
// with it), and wakes its owner if it is in the list; it is not if it has yet to come there.
// Whoever drew a ticket first need not be in the list first: search. Any thread. Go:
// notifyListNotifyOne.
void notify_list_notify_one(NotifyList* list);

// Calls all tickets that are drawn, and wakes the whole list, in its order, without the lock. Any
// thread. Go: notifyListNotifyAll.
void notify_list_notify_all(NotifyList* list);

}  // namespace goro
