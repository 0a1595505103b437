// Growing, moving and shrinking a stack. contracts/stack.h is the specification.
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/not_implemented.h"
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

// [request]
// What __morestack and _mcount push, lowest address first, right before they call goro_mcall.
struct GrowRequest {
  std::uint64_t foreign;  // 1: kForeignRoom more, for code without checks
  std::uint64_t bytes;    // of frame that are not taken yet
};
// [/request]

}  // namespace

// Given: what the assembly hands to goro_mcall. The request is above the frame that goro_mcall
// saved.
extern "C" void goro_newstack_m(G* gp) {
  const auto* request = reinterpret_cast<const GrowRequest*>(gp->sched.sp + kSwitchFrameSize);
  newstack(gp, request->bytes + (request->foreign != 0 ? kForeignRoom : 0), request->foreign != 0);
}

// Step 5.
void newstack(G* /*gp*/, std::size_t /*bytes*/, bool /*foreign*/) {
  GORO_NOT_IMPLEMENTED(3, 5);
}

// Step 3.
std::size_t adjust_pointers(std::uintptr_t /*from*/, std::uintptr_t /*to*/, Stack /*in_use*/,
                            std::uintptr_t /*distance*/) {
  GORO_NOT_IMPLEMENTED(3, 3);
}

// Step 4.
void copystack(G* /*gp*/, std::size_t /*size*/) {
  GORO_NOT_IMPLEMENTED(3, 4);
}

// Step 5.
bool extendstack(G* /*gp*/, std::size_t /*size*/) {
  GORO_NOT_IMPLEMENTED(3, 5);
}

// Step 7.
bool shrinkstack(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(3, 7);
}

}  // namespace goro
