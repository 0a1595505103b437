// Segments of chained stacks: where they come from, and how they are given back.
//
// A goroutine keeps one segment behind the one that it runs on, and the unwinder may leave more
// there; everything further goes back at the next return over a seam.
#include "contracts/chained_stack.h"

#include <algorithm>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/services/fatal.h"
#include "contracts/services/options.h"
#include "contracts/services/pin.h"
#include "contracts/stack.h"

#if GORO_CHAINED_STACKS
namespace goro {

void release_newer_segments(P* pp, Stack stack) {
  StackLinks* links = stack_links(stack);
  std::uintptr_t hi = links->newer;
  links->newer = 0;
  while (hi != 0) {
    const auto* segment = reinterpret_cast<const StackSegment*>(hi) - 1;
    const Stack released{segment->lo, hi};
    hi = segment->links.newer;
    stackfree(pp, released);
  }
}

namespace {

// What goro_morestack_chained pushes before it stops the goroutine.
struct ChainRequest {
  std::uint64_t arguments;
  std::uint64_t bytes;
};

}  // namespace

// [newsegment]
void newsegment(G* gp, std::size_t bytes, std::size_t arguments) {
  const Stack older = gp->stack;
  const StackSegment* own = stack_segment(older);
  const std::size_t in_all = own != nullptr ? own->links.mark & ~std::uintptr_t{1} : older.size();
  // Written so that nothing can wrap around.
  const std::size_t most = max_stack_size();
  std::size_t size = std::min(older.size() * 2, kSegmentMost);
  while (size <= most &&
         (segment_room(size) < arguments || segment_room(size) - arguments < bytes)) {
    size *= 2;
  }
  if (size > most || most - size < in_all) stack_overflow(gp, most);
  P* pp = getm()->p;
  release_newer_segments(pp, older);
  const Stack fresh = stackalloc(pp, size);
  auto* segment = reinterpret_cast<StackSegment*>(fresh.hi) - 1;
  *segment = {fresh.lo, segment_room(size), older, base_of(older), {(in_all + size) | 1, 0}};
  stack_links(older)->newer = fresh.hi;
}
// [/newsegment]

}  // namespace goro

using goro::G;

extern "C" [[noreturn]] void goro_morestack_chained_m(G* gp) {
  const auto* request =
      reinterpret_cast<const goro::ChainRequest*>(gp->sched.sp + goro::kSwitchFrameSize);
  // Gives way if it may; either way it looks again.
  if (gp->stackguard0.load(std::memory_order_relaxed) == goro::kStackPreempt) {
    goro::newstack(gp, 0, true);
  }
  // The frame record is goro_morestack_chained's, and its first word is what that has in rbp.
  const std::uintptr_t rbp =
      *reinterpret_cast<const std::uintptr_t*>(gp->sched.sp + goro::kSwitchFrameRecord);
  if (goro::unpin_if_over(gp, rbp)) goro::newstack(gp, request->bytes, true);
  goro::newsegment(gp, request->bytes, request->arguments);
  goro_gogo(&gp->sched);
}

// The goroutine is about to return from its segment, which the next call over the seam will want
// again; nobody will want those behind it.
extern "C" [[noreturn]] void goro_lessstack_m(G* gp) {
  goro::release_newer_segments(goro::getm()->p, gp->stack);
  goro_gogo(&gp->sched);
}

#endif
