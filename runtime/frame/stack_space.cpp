#include "frame/stack_space.h"

#include "contracts/constants.h"

#if GORO_CHAINED_STACKS

#include <cstdlib>

#include "contracts/chained_stack.h"
#include "contracts/context_switch.h"
#include "contracts/services/fatal.h"
#include "contracts/services/options.h"
#include "contracts/stack.h"

namespace goro {

namespace {

// In front of the bytes that the program uses, whose alignment is that of malloc.
struct alignas(16) SpaceBlock {
  SpaceBlock* older;
  std::uintptr_t depth;  // of the token: bytes from there to the upper end of the base
  std::size_t in_all;    // the bytes of this one and all older ones
  std::uintptr_t pin;    // of the first one: base_pin()
};

// What goro_allocate_space_m is asked for, and what it answers.
struct SpaceRequest {
  std::uint64_t bytes;
  std::uintptr_t place;  // 0: it is to be taken from the stack
};
// Of the request, the saved frame pointer and the return address.
constexpr std::size_t kSpaceFrame = sizeof(SpaceRequest) + 16;

constexpr std::size_t kSpaceToken = 16;

// Bytes of segments before `stack`.
std::size_t bytes_before(Stack stack) {
  const StackSegment* segment = stack_segment(stack);
  return segment == nullptr ? 0 : (segment->links.mark & ~std::uintptr_t{1}) - stack.size();
}

std::uintptr_t depth_of(Stack stack, std::uintptr_t sp) {
  return bytes_before(stack) + (stack.hi - sp);
}

// The word that is so deep in a stack whose newest segment is `stack`.
std::uintptr_t word_at(Stack stack, std::uintptr_t depth) {
  while (depth <= bytes_before(stack)) stack = stack_segment(stack)->older;
  return *reinterpret_cast<const std::uintptr_t*>(stack.hi - (depth - bytes_before(stack)));
}

// In the mark of a base that has blocks and is pinned. No pin is so large.
constexpr std::uintptr_t kBoth = std::uintptr_t{1} << 63;

// The newest is the first, and its token the deepest.
SpaceBlock* first_block(Stack base) {
  const std::uintptr_t mark = stack_links(base)->mark;
  if ((mark & GORO_STACK_PINNED) != 0 && mark < kBoth) return nullptr;
  return reinterpret_cast<SpaceBlock*>(mark & ~(kBoth | GORO_STACK_PINNED));
}

void set_mark(Stack base, SpaceBlock* first, std::uintptr_t pin) {
  std::uintptr_t mark = pin;
  if (first != nullptr) {
    first->pin = pin;
    mark = reinterpret_cast<std::uintptr_t>(first);
    if (pin != 0) mark |= kBoth | GORO_STACK_PINNED;
  }
  stack_links(base)->mark = mark;
}

std::uintptr_t place_of(SpaceBlock* block) {
  return reinterpret_cast<std::uintptr_t>(block + 1);
}

// Gives blocks back whose functions have returned, of a goroutine whose stack pointer is at `sp` of
// `stack`. Up to the first in use: what is behind it was looked at when that one was made.
void release_unused(Stack stack, std::uintptr_t sp, Stack base) {
  SpaceBlock* block = first_block(base);
  if (block == nullptr) return;
  const std::uintptr_t pin = base_pin(base);
  const std::uintptr_t depth = depth_of(stack, sp);
  while (block != nullptr &&
         (block->depth > depth || word_at(stack, block->depth) != ~place_of(block))) {
    SpaceBlock* older = block->older;
    std::free(block);
    block = older;
  }
  set_mark(base, block, pin);
}

}  // namespace

std::uintptr_t base_pin(Stack base) {
  const std::uintptr_t mark = stack_links(base)->mark;
  if ((mark & GORO_STACK_PINNED) == 0) return 0;
  return mark < kBoth ? mark : first_block(base)->pin;
}

void set_base_pin(Stack base, std::uintptr_t pin) {
  set_mark(base, first_block(base), pin);
}

bool may_have_unused_space(Stack present) {
  return stack_segment(present) == nullptr && first_block(present) != nullptr;
}

void release_unused_space(G* gp, std::uintptr_t sp) {
  release_unused(gp->stack, sp, gp->stack);
}

void release_all_space(const G* gp) {
  const Stack base = base_of(gp->stack);
  SpaceBlock* block = first_block(base);
  set_mark(base, nullptr, 0);
  while (block != nullptr) {
    SpaceBlock* older = block->older;
    std::free(block);
    block = older;
  }
}

// A chained goroutine found too little room for so many bytes, or is to give way. It looks again
// unless it gets an answer.
extern "C" [[noreturn]] void goro_allocate_space_m(G* gp) {
  if (gp->stackguard0.load(std::memory_order_relaxed) == kStackPreempt) newstack(gp, 0, true);
  const std::uintptr_t frame = gp->sched.sp + kSwitchFrameSize;
  auto* request = reinterpret_cast<SpaceRequest*>(frame);
  const std::uintptr_t callers_sp = frame + kSpaceFrame;
  const Stack stack = gp->stack;
  request->place = 0;
  const std::uintptr_t limit = stack.lo + kStackGuard;
  if (callers_sp < limit || callers_sp - limit < request->bytes) {
    const Stack base = base_of(stack);
    release_unused(stack, callers_sp, base);
    SpaceBlock* older = first_block(base);
    const std::uintptr_t depth = depth_of(stack, callers_sp);
    const std::size_t in_blocks = older != nullptr ? older->in_all : 0;
    const std::size_t most = max_stack_size();
    if (request->bytes > most || depth + in_blocks > most - request->bytes) {
      stack_overflow(gp, most);
    }
    auto* block = static_cast<SpaceBlock*>(std::malloc(sizeof(SpaceBlock) + request->bytes));
    if (block == nullptr) fatal("out of memory (stack)");
    const std::uintptr_t pin = base_pin(base);
    *block = {older, depth + kSpaceToken, in_blocks + request->bytes, pin};
    set_mark(base, block, pin);
    request->place = place_of(block);
  }
  goro_gogo(&gp->sched);
}

}  // namespace goro

#endif
