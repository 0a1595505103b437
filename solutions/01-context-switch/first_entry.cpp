// A new goroutine's first frame, and the exception state that travels with it.
#include <new>

#include "contracts/context_switch.h"

namespace goro {

#if defined(__x86_64__)

// What goro_mcall pushes, lowest address first.
struct SwitchFrame {
  std::uint32_t mxcsr;
  std::uint16_t x87_control;
  std::uint16_t unused;
  std::uint64_t r15, r14, r13, r12, rbx, rbp;
  std::uint64_t return_address;
};
static_assert(sizeof(SwitchFrame) == kSwitchFrameSize);
static_assert(offsetof(SwitchFrame, rbp) == kSwitchFrameRecord);

// All exceptions masked, rounding to nearest; extended precision: what a process starts with.
constexpr std::uint32_t kMxcsrDefault = 0x1f80;
constexpr std::uint16_t kX87Default = 0x37f;

static void first_frame(SwitchFrame* frame, void (*fn)()) {
  frame->mxcsr = kMxcsrDefault;
  frame->x87_control = kX87Default;
  frame->rbx = reinterpret_cast<std::uint64_t>(fn);  // where goro_gostart looks for it
  frame->return_address = reinterpret_cast<std::uint64_t>(&goro_gostart);
}

#elif defined(__aarch64__)

struct SwitchFrame {
  std::uint64_t fpcr;
  std::uint64_t unused;
  std::uint64_t d[8];
  std::uint64_t x[10];  // x19 … x28
  std::uint64_t fp;
  std::uint64_t return_address;
};
static_assert(sizeof(SwitchFrame) == kSwitchFrameSize);
static_assert(offsetof(SwitchFrame, fp) == kSwitchFrameRecord);

static void first_frame(SwitchFrame* frame, void (*fn)()) {
  frame->x[0] = reinterpret_cast<std::uint64_t>(fn);  // x19: where goro_gostart looks for it
  frame->return_address = reinterpret_cast<std::uint64_t>(&goro_gostart);
}

#endif

// [gostartcall]
void gostartcall(Gobuf* buf, std::uintptr_t hi, void (*fn)()) {
  // goro_gogo ends with sp just above the frame. goro_gostart calls fn from there, and a call wants
  // sp to be a multiple of 16; hi is one, and the frame's size too. The 16 bytes above stay zero: a
  // walk over frame records that went too far finds nothing there.
  auto* above = reinterpret_cast<std::uint64_t*>(hi - 16);
  above[0] = above[1] = 0;
  // Written in place: this is part of the price of every goroutine.
  auto* frame = new (above - sizeof(SwitchFrame) / sizeof(*above)) SwitchFrame{};
  first_frame(frame, fn);
  buf->sp = reinterpret_cast<std::uintptr_t>(frame);
}
// [/gostartcall]

// [exceptions]
void save_exception_state(G* gp, M* mp) {
  gp->exceptions = *mp->exception_globals;
  *mp->exception_globals = ExceptionState{};
}
// [/exceptions]

void restore_exception_state(G* gp, M* mp) {
  *mp->exception_globals = gp->exceptions;
  gp->exceptions = ExceptionState{};
}

}  // namespace goro
