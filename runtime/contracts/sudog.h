// A sudog: one goroutine in one waiting list. Go: sudog, runtime2.go.
//
// A goroutine that waits for one thing is in one list; a select waits in several at once, so the
// links cannot be in the G. Sudogs are taken from the P and given back to it, without any lock.
#pragma once

#include <cstdint>

namespace goro {

struct G;
struct Hchan;

// [sudog]
struct Sudog {
  G* g = nullptr;  // who waits

  // Protected by the lock of the channel or semaphore that it waits for.
  Sudog* next = nullptr;
  Sudog* prev = nullptr;
  void* elem = nullptr;      // the value to send, the place to receive; a semaphore's address
  bool is_select = false;    // part of a select: whoever takes it must win G::select_done first
  bool success = false;      // woken by a value, not by close
  std::uint32_t ticket = 0;  // semaphores: treap priority; 1 after a direct hand-over
  // The goroutine's next sudog. Semaphores: see frame/sema_root.cpp.
  Sudog* waitlink = nullptr;
  union {
    Hchan* c = nullptr;  // the channel
    Sudog* parent;       // semaphores: in the treap
  };
};
// [/sudog]
// Each goroutine that waits at a channel has one.
static_assert(sizeof(Sudog) == 7 * sizeof(void*));

// A clean sudog: from the P's list; if that is empty, moves half a list (kSudogCache / 2) over from
// sched's first; if there is none either, a new one from sudog_alloc() (services/waiting.h). On
// either stack, with a P; on a goroutine's, with M::locks above 0. Slot 09. Go: acquireSudog,
// proc.go.
Sudog* acquire_sudog();

// Gives `s` back to the P; a full list (kSudogCache) gives half of it to sched's first. Fatal if a
// field of `s` is not as in a clean one: "runtime: sudog with non-nil elem", "… with non-false
// isSelect", "… with non-nil next", "… with non-nil prev", "… with non-nil waitlink", "… with
// non-nil c". g is cleared here; what only semaphores use is theirs to clear. On either stack, with
// a P; on a goroutine's, with M::locks above 0. Slot 09. Go: releaseSudog.
void release_sudog(Sudog* s);

}  // namespace goro
