// One thread, one M and its goroutines, made by hand: what the switch is tested with, without a
// scheduler.
//
// probe() is the microscope. It loads known values into every register that a C++ function must
// keep and into the floating-point control words, calls a function, and looks at all of them when
// that function comes back. It finds its own stack again whatever came back in the stack pointer,
// so a wrong register is a sentence in a report and not a crash. go_home() ends the look from
// anywhere, without coming back.
//
// capture() is the other end: a function written in assembly that notes how it was called, and goes
// on to where `capture_next` says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "contracts/constants.h"
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "testing/story.h"

namespace goro::lab01 {

// What a call must leave as it was, in the order in which the contract's picture stores it.
#if defined(__x86_64__)
inline constexpr std::size_t kKept = 6;
#else
inline constexpr std::size_t kKept = 19;
#endif
extern const char* const kKeptNames[kKept];
extern const char* const kStackPointerName;

// Floating-point control words as the processor has them.
struct ControlWords {
#if defined(__x86_64__)
  std::uint32_t mxcsr = 0x1f80;
  std::uint16_t x87 = 0x37f;
  std::uint16_t unused = 0;
#else
  std::uint64_t fpcr = 0;
#endif
};

// Read and written by assembly.
struct Registers {
  std::uint64_t kept[kKept] = {};
  std::uint64_t sp = 0;
  ControlWords control;
  std::uint64_t limit = 0;  // x86-64: the word that prologues compare with
  std::uint64_t flags = 0;  // ARM64: FPSR; x86-64 has its flags in mxcsr
};

// [frame]
// What goro_mcall saves, lowest address first. kept: r15 r14 r13 r12 rbx rbp, or d8 … d15 x19 … x28
// x29.
struct SwitchFrame {
  ControlWords control;
#if defined(__aarch64__)
  std::uint64_t unused;
#endif
  std::uint64_t kept[kKept];
  std::uint64_t return_address;
};
// [/frame]
static_assert(sizeof(SwitchFrame) == kSwitchFrameSize);
static_assert(offsetof(SwitchFrame, kept) + 8 * (kKept - 1) == kSwitchFrameRecord);

// How capture() was called.
struct Captured {
  std::uint64_t arg = 0;  // the first argument
  std::uint64_t sp = 0;   // on entry
  std::uint64_t fp = 0;   // on entry
  std::uint64_t return_address = 0;
  std::uint64_t limit = 0;
  ControlWords control;
  G* g = nullptr;
  std::uint64_t calls = 0;
};

extern "C" {
extern Captured lab01_captured;
extern void (*lab01_capture_next)();
extern std::uint64_t lab01_home;  // the stack pointer of the present probe

void lab01_probe(const Registers* before, Registers* after, void (*function)(), void* a, void* b);
// Where the probed function returns to. Jumping here from elsewhere ends the probe as well.
[[noreturn]] void lab01_probe_back();
void lab01_capture();
// Loads every register and the sticky flags from `trash`, and jumps to goro_gogo. The control bits
// must be the standard ones: it runs on g0.
[[noreturn]] void lab01_trash_and_gogo(Gobuf* buf, const Registers* trash);
// Where a frame by hand can return to: calls goro_mcall with the function in the frame's rbx (x19).
[[noreturn]] void lab01_stop_again();
}

// The limit that the next prologue will compare with. ARM64 reads it from the G, and takes none on
// g0.
inline std::uint64_t limit_seen_by_prologues([[maybe_unused]] const G* running,
                                             [[maybe_unused]] std::uint64_t word) {
#if defined(__x86_64__)
  return word;
#else
  return running == nullptr || running->stack_kind == StackKind::system
             ? 0
             : running->stackguard0.load(std::memory_order_relaxed);
#endif
}

// The stack pointer modulo 16 at a function's first instruction.
#if defined(__x86_64__)
inline constexpr std::uint64_t kAlignmentAtEntry = 8;
inline constexpr const char* kAlignmentRule =
    "at a function's first instruction rsp is 8 mod 16: it was 16-byte aligned before the call "
    "pushed the "
    "return address, and library code (movaps) relies on that";
#else
inline constexpr std::uint64_t kAlignmentAtEntry = 0;
inline constexpr const char* kAlignmentRule =
    "sp is 16-byte aligned, always: the processor checks it";
#endif

enum class Rounding { nearest, up, down, to_zero };
ControlWords rounding(Rounding mode);
// Control words that differ from the standard ones in one thing each, and what that is.
std::vector<std::pair<const char*, ControlWords>> unusual_control_words();
// Control bits only, in one number.
std::uint64_t control_bits(const ControlWords& words);
// The sticky flags, in one number.
std::uint64_t sticky_flags(const Registers& registers);
// Sets the sticky flag "inexact" in what a probe will load.
void raise_inexact(Registers* registers);
std::uint64_t inexact_flag();

std::uint64_t seed();

// Values that are all different and none of which is likely to be in a register already.
Registers known_values();

// One sentence a register that differs; empty if all are the same. The stack pointer is compared
// with `sp` if that is not 0.
std::string differences(const Registers& before, const Registers& after, std::uint64_t sp = 0);
// The same for a frame in memory; `return_address` 0 is not compared.
std::string differences(const Registers& before, const SwitchFrame& frame,
                        std::uintptr_t return_address);

// A frame as the contract's picture shows it, at the top of gp's stack and in gp->sched.sp. A
// goro_gogo to it arrives at `return_address`, by default at the end of the probe.
SwitchFrame* frame_by_hand(G* gp, const Registers& values,
                           void (*return_address)() = lab01_probe_back);
// Where the frame has the register that lab01_stop_again reads.
#if defined(__x86_64__)
inline constexpr std::size_t kStopAgainFunction = 4;
#else
inline constexpr std::size_t kStopAgainFunction = 8;
#endif

// A stack in a block of its own, with room left above `hi` and below `lo` to see what strays there.
class OwnStack {
 public:
  OwnStack();
  ~OwnStack();
  OwnStack(const OwnStack&) = delete;
  OwnStack& operator=(const OwnStack&) = delete;

  static constexpr std::size_t kSize = std::size_t{256} << 10;
  static constexpr std::size_t kMargin = 4096;

  [[nodiscard]] Stack stack() const { return stack_; }

 private:
  Stack stack_;
};

// The recognisable limit of a goroutine whose stack is a thread's. Below every stack, so that each
// check passes.
inline constexpr std::uintptr_t kThreadLimit = 0x4740;

// This thread's M.
class ByHand {
 public:
  ByHand();
  ~ByHand();
  ByHand(const ByHand&) = delete;
  ByHand& operator=(const ByHand&) = delete;

  [[nodiscard]] M* m() { return &m_; }
  [[nodiscard]] G* g0() { return m_.g0; }

  // A goroutine with a stack of its own, on this M. It has not begun.
  G* goroutine();

  // This thread's stack becomes a goroutine's, and g0 gets a stack of its own. Nothing is current
  // yet.
  G* this_stack_as_goroutine();

  // Calls function(a, b) with the registers of `before` while `running` is the current goroutine,
  // and returns what came back. Afterwards no goroutine is current.
  Registers probe(G* running, const Registers& before, void (*function)(), const void* a = nullptr,
                  const void* b = nullptr);

  // The goroutine that was current when the last probe came back.
  [[nodiscard]] G* current_after() const { return current_after_; }

 private:
  M m_;
  G* outer_;
  G* current_after_ = nullptr;
  std::vector<std::unique_ptr<G>> gs_;
  std::vector<std::unique_ptr<OwnStack>> stacks_;
};

template <typename Function>
auto as_function(Function* function) {
  return reinterpret_cast<void (*)()>(function);
}

// Where capture() goes on if what it stands for returns.
inline void return_to_caller() {}

// capture() as an argument of what is probed.
inline const void* capture() {
  return reinterpret_cast<const void*>(&lab01_capture);
}

}  // namespace goro::lab01

// `text` is from differences(); the sentence says what was to be the same.
#define LAB01_EXPECT_NO_DIFFERENCE(text, sentence)               \
  if (const std::string differing = (text); differing.empty()) { \
  } else                                                         \
    ADD_FAILURE() << (sentence) << ":\n" << differing
#define LAB01_ASSERT_NO_DIFFERENCE(text, sentence)               \
  if (const std::string differing = (text); differing.empty()) { \
  } else                                                         \
    FAIL() << (sentence) << ":\n" << differing
