// Exceptions and moving stacks.
//
// The unwinder works in two phases. The first looks for a handler and writes the stack address of
// its frame into the exception object (private_2). The second runs the destructors of the frames in
// between; each ends with a call of _Unwind_Resume, which goes on until it meets a frame at that
// address. If a destructor makes the stack grow, the address is where the frame used to be. So a
// move during an unwinding is written down, and our _Unwind_Resume (foreign_calls) maps the address
// through the moves before it calls the unwinder's.
//
// The unwinder only tells the language's own part (the personality function) when it is at that
// address. libstdc++'s looks at its tables again in the second phase and would stop at the handler
// all the same, so with it an address left stale does no harm that a program could see; the
// unwinder's interface promises that to nobody.
#include "contracts/services/exceptions.h"

#include <unwind.h>

#include <bit>
#include <cstdlib>

#include "contracts/getg.h"
#include "contracts/services/fatal.h"
#include "frame/trace.h"

namespace goro {

void exceptions_stack_moved(G* gp, Stack old, std::uintptr_t distance) {
  trace_goroutine(trace::Kind::stack_moved, gp,
                  static_cast<std::uint8_t>(std::bit_width(gp->stack.size() - 1)));
  if (distance == 0) return;
  const M* mp = gp->m;
  const ExceptionState& state = mp != nullptr ? *mp->exception_globals : gp->exceptions;
  if (state.uncaught == 0) {
    exceptions_forget_moves(gp);
    return;
  }
  auto* move = static_cast<StackMove*>(std::malloc(sizeof(StackMove)));
  if (move == nullptr) fatal("out of memory (stack)");
  *move = StackMove{old, distance, nullptr};
  StackMove** end = &gp->moves;
  while (*end != nullptr) end = &(*end)->next;
  *end = move;
}

void exceptions_free_moves(G* gp) {
  while (gp->moves != nullptr) {
    StackMove* next = gp->moves->next;
    std::free(gp->moves);
    gp->moves = next;
  }
}

}  // namespace goro

extern "C" {

// Called by our _Unwind_Resume.
void goro_exception_resumes(_Unwind_Exception* exception) {
  const goro::G* gp = goro::getg();
  if (gp == nullptr) return;
  // Oldest first: an address that moved twice is mapped twice.
  for (const goro::StackMove* move = gp->moves; move != nullptr; move = move->next) {
    if (exception->private_2 - move->from.lo <= move->from.size()) {
      exception->private_2 += move->distance;
    }
  }
}
}
