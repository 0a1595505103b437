// A new goroutine's first frame, and the exception state that travels with it.
#include "contracts/context_switch.h"
#include "contracts/not_implemented.h"

namespace goro {

// What goro_mcall pushes, lowest address first.
struct SwitchFrame {
#if defined(__x86_64__)
  std::uint32_t mxcsr;
  std::uint16_t x87_control;
  std::uint16_t unused;
  std::uint64_t r15, r14, r13, r12, rbx, rbp;
#elif defined(__aarch64__)
  std::uint64_t fpcr;
  std::uint64_t unused;
  std::uint64_t d[8];   // d8 … d15
  std::uint64_t x[10];  // x19 … x28
  std::uint64_t fp;
#endif
  std::uint64_t return_address;
};
static_assert(sizeof(SwitchFrame) == kSwitchFrameSize);

// Step 5. Writes a SwitchFrame near the top of the stack that ends at `hi`, and its address into
// buf->sp.
void gostartcall(Gobuf* /*buf*/, std::uintptr_t /*hi*/, void (* /*fn*/)()) {
  GORO_NOT_IMPLEMENTED(1, 5);
}

// Step 6. *mp->exception_globals moves into gp->exceptions.
void save_exception_state(G* /*gp*/, M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(1, 6);
}

// Step 6. gp->exceptions moves into *mp->exception_globals.
void restore_exception_state(G* /*gp*/, M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(1, 6);
}

}  // namespace goro
