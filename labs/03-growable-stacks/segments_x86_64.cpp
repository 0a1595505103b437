// Segments of chained stacks: where they come from, and how they are given back.
// contracts/chained_stack.h is the specification.
#include "contracts/chained_stack.h"

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/services/fatal.h"
#include "contracts/services/options.h"
#include "contracts/services/pin.h"
#include "contracts/stack.h"

// The sanitizers' builds have no chained stacks.
#if GORO_CHAINED_STACKS
namespace goro {

namespace {

// What goro_morestack_chained pushes, lowest address first, right before it calls goro_mcall.
struct ChainRequest {
  std::uint64_t arguments;  // bytes on the stack
  std::uint64_t bytes;      // of frame
};

}  // namespace

// Step 8.
void release_newer_segments(P* /*pp*/, Stack /*stack*/) {
  GORO_NOT_IMPLEMENTED(3, 8);
}

// Step 8.
void newsegment(G* /*gp*/, std::size_t /*bytes*/, std::size_t /*arguments*/) {
  GORO_NOT_IMPLEMENTED(3, 8);
}

}  // namespace goro

using goro::G;

// Given: what the assembly hands to goro_mcall when it asks. The request is above the frame that
// goro_mcall saved.
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

// Given: and when it is about to leave a segment that has newer ones behind it.
extern "C" [[noreturn]] void goro_lessstack_m(G* gp) {
  goro::release_newer_segments(goro::getm()->p, gp->stack);
  goro_gogo(&gp->sched);
}

#endif
