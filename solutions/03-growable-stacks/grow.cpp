// Growing, moving and shrinking a stack.
//
// A stack moves only while its goroutine is stopped with every register saved on that very stack.
// So one pass over the used part sees every word that can refer to it: frame pointers, addresses of
// locals, spilled arguments, the saved registers. What lies outside the stack (the heap, other
// goroutines) must not refer to it; the public contract says so, and GORO_DEBUG=stackcheck=1 looks.
//
// An alternative that keeps all addresses is to chain a second segment to the first (GCC's own
// split-stack, and Go up to 1.2). A loop that calls across the seam then pays for a new segment
// each time round, the hot split; copying pays once and is done.
#include <cstring>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/services/exceptions.h"
#include "contracts/services/fatal.h"
#include "contracts/services/options.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/scheduling.h"
#include "contracts/services/stackcheck.h"
#include "contracts/stack.h"
#include "contracts/stack_offsets.h"

namespace goro {

static_assert(GORO_FOREIGN_ROOM == kForeignRoom);

namespace {

// What __morestack and _mcount push before they stop the goroutine.
struct GrowRequest {
  std::uint64_t foreign;
  std::uint64_t bytes;
};

}  // namespace

extern "C" void goro_newstack_m(G* gp) {
  const auto* request = reinterpret_cast<const GrowRequest*>(gp->sched.sp + kSwitchFrameSize);
  newstack(gp, request->bytes + (request->foreign != 0 ? kForeignRoom : 0), request->foreign != 0);
}

// [newstack]
void newstack(G* gp, std::size_t bytes, bool foreign) {
  const std::uintptr_t guard = gp->stack.lo + kStackGuard;
  const bool asked = gp->stackguard0.load(std::memory_order_relaxed) == kStackPreempt;
  if (asked) gp->stackguard0.store(guard, std::memory_order_relaxed);

  // Written so that a huge `bytes` cannot wrap around.
  const std::uintptr_t sp = gp->sched.sp;
  if (sp < guard || sp - guard < bytes) {
    if (gp->stack_kind == StackKind::growable) {
      const std::size_t used = gp->stack.hi - sp;
      std::size_t size = gp->stack.size() * 2;
      while (size <= max_stack_size() && size - used < bytes + kStackGuard) size *= 2;
      if (size > max_stack_size()) stack_overflow(gp, max_stack_size());
      casgstatus(gp, GStatus::running, GStatus::copystack);
      if (!extendstack(gp, size)) copystack(gp, size);
      casgstatus(gp, GStatus::copystack, GStatus::running);
    } else if (!foreign) {
      stack_overflow(gp, gp->stack.size());
    }
  }

  if (asked && can_preempt(gp)) {
    gp->preempt.store(false, std::memory_order_relaxed);
    gopreempt_m(gp);
  }
  goro_gogo(&gp->sched);
}
// [/newstack]

// [adjust_pointers]
std::size_t adjust_pointers(std::uintptr_t from, std::uintptr_t to, Stack in_use,
                            std::uintptr_t distance) {
  std::size_t changed = 0;
  for (auto* word = reinterpret_cast<std::uintptr_t*>(from);
       word != reinterpret_cast<std::uintptr_t*>(to); ++word) {
    if (in_use.contains(*word)) {
      *word += distance;
      ++changed;
    }
  }
  return changed;
}
// [/adjust_pointers]

// [copystack]
static void set_stack(G* gp, Stack fresh) {
  // An exchange, not a store: if somebody asks gp to give way between a load and a store, the
  // request would be overwritten.
  std::uintptr_t guard = gp->stack.lo + kStackGuard;
  gp->stack = fresh;
  gp->stackguard0.compare_exchange_strong(guard, fresh.lo + kStackGuard, std::memory_order_relaxed);
}

void copystack(G* gp, std::size_t size) {
  P* pp = getm()->p;
  const Stack old = gp->stack;
  const std::size_t used = old.hi - gp->sched.sp;
  const Stack fresh = stackalloc(pp, size);
  const std::uintptr_t distance =
      fresh.hi - old.hi;  // mod 2^64, so either direction is an addition

  // The used part keeps its distance from hi, and both ends are multiples of kStackAlign: alignment
  // is kept.
  std::memcpy(reinterpret_cast<void*>(fresh.hi - used),
              reinterpret_cast<const void*>(old.hi - used), used);
  const Stack in_use{old.hi - used, old.hi};
  adjust_pointers(fresh.hi - used, fresh.hi, in_use, distance);

  set_stack(gp, fresh);
  gp->sched.sp += distance;

  exceptions_stack_moved(gp, old, distance);
  stackcheck_stack_moved(gp, old);
  stackfree(pp, old);
}
// [/copystack]

// [extendstack]
// The page heap keeps free addresses below a large stack. When the stack gets some of them, its
// upper end stays where it is, and so does every frame, with the saved registers at sched.sp. So
// there is nothing to copy, and no address to correct. Only lo is another one, and the guard with
// it.
bool extendstack(G* gp, std::size_t size) {
  const Stack old = gp->stack;
  if (!page_heap_extend(old.lo, old.size(), size)) return false;
  set_stack(gp, Stack{old.hi - size, old.hi});
  exceptions_stack_moved(gp, old, 0);
  return true;
}
// [/extendstack]

// [shrinkstack]
bool shrinkstack(G* gp) {
  if (gp->stack_kind != StackKind::growable || gp->stack.size() <= kStackMin) return false;
  const std::size_t used = gp->stack.hi - gp->sched.sp + kStackGuard;
  if (used >= gp->stack.size() / 4) return false;
  casgstatus(gp, GStatus::waiting, GStatus::copystack);
  copystack(gp, gp->stack.size() / 2);
  casgstatus(gp, GStatus::copystack, GStatus::waiting);
  return true;
}
// [/shrinkstack]

}  // namespace goro
