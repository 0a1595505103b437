// Unwind information, at every instruction: a signal may come at any of them, and a debugger may
// stop at any.
//
// A handler looks out of the middle of the function with the unwinder, one instruction after the
// other. On x86-64 the processor traps after each (the trap flag). ARM64 has no such flag: there
// the function is called once for each of its instructions, which a breakpoint stands for.
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <csignal>
#include <cstring>
#include <sstream>

#include "by_hand.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace goro::lab01 {
namespace {

// Where a function's caller goes on, and with what, as the unwinder sees it.
struct Caller {
  std::uintptr_t return_address = 0;
  Registers registers;  // `kept` and `sp`
};

struct Watch {
  std::uintptr_t function = 0;  // its first instruction
  bool on_g0_too = false;       // else only while the stack is the caller's
  std::size_t seen = 0;
  // The last instruction that was looked at, and the first whose caller is wrong.
  std::uintptr_t at = 0;
  Caller caller;
  bool wrong = false;
};
Watch watch;
Registers expected;

#if defined(__x86_64__)
constexpr int kDwarfNumbers[kKept] = {15, 14, 13, 12, 3, 6};
#else
constexpr int kDwarfNumbers[kKept] = {72, 73, 74, 75, 76, 77, 78, 79, 19, 20,
                                      21, 22, 23, 24, 25, 26, 27, 28, 29};
#endif

bool belongs_to_watched(std::uintptr_t pc) {
  // The unwinder looks for return addresses, which are behind their call.
  return reinterpret_cast<std::uintptr_t>(
             _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(pc + 1))) == watch.function;
}

_Unwind_Reason_Code look_for_caller(_Unwind_Context* context, void* arg) {
  auto* found = static_cast<bool*>(arg);
  if (!*found) {
    *found = _Unwind_GetIP(context) == watch.at;
    return _URC_NO_REASON;
  }
  watch.caller.return_address = _Unwind_GetIP(context);
  watch.caller.registers.sp = _Unwind_GetCFA(context);
  for (std::size_t i = 0; i < kKept; ++i) {
    watch.caller.registers.kept[i] = _Unwind_GetGR(context, kDwarfNumbers[i]);
  }
  return _URC_END_OF_STACK;
}

void look(std::uintptr_t pc, std::uintptr_t sp) {
  if (watch.wrong || !belongs_to_watched(pc)) return;
  const bool on_callers_stack = sp <= lab01_home && sp > lab01_home - 1024;
  if (!on_callers_stack && !watch.on_g0_too) return;
  ++watch.seen;
  watch.at = pc;
  watch.caller = Caller{};
  watch.caller.registers.control = expected.control;  // unwinding leaves them alone
  bool found = false;
  _Unwind_Backtrace(look_for_caller, &found);
  watch.wrong =
      watch.caller.return_address != reinterpret_cast<std::uintptr_t>(&lab01_probe_back) ||
      watch.caller.registers.sp != lab01_home ||
      std::memcmp(watch.caller.registers.kept, expected.kept, sizeof(expected.kept)) != 0;
}

class TrapHandler {
 public:
  explicit TrapHandler(void (*handler)(int, siginfo_t*, void*)) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGTRAP, &action, &before_);
  }
  ~TrapHandler() { sigaction(SIGTRAP, &before_, nullptr); }
  TrapHandler(const TrapHandler&) = delete;
  TrapHandler& operator=(const TrapHandler&) = delete;

 private:
  struct sigaction before_ {};
};

#if defined(__x86_64__)

template <typename Call>
void look_at_every_instruction(Call call) {
  constexpr std::uint64_t kTrapFlag = 0x100;
  const TrapHandler handler([](int, siginfo_t*, void* context) {
    const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    look(static_cast<std::uintptr_t>(registers[REG_RIP]),
         static_cast<std::uintptr_t>(registers[REG_RSP]));
  });
  __writeeflags(__readeflags() | kTrapFlag);
  call();
  __writeeflags(__readeflags() & ~kTrapFlag);
}

#else

// Stands for one instruction.
class Breakpoint {
 public:
  explicit Breakpoint(std::uintptr_t at) : place_(reinterpret_cast<std::uint32_t*>(at)) {
    constexpr std::uint32_t kBrk = 0xd4200000;
    instruction_ = *place_;
    write(kBrk);
  }
  ~Breakpoint() { remove(); }
  Breakpoint(const Breakpoint&) = delete;
  Breakpoint& operator=(const Breakpoint&) = delete;

  void remove() { write(instruction_); }

 private:
  void write(std::uint32_t instruction) {
    *place_ = instruction;
    __builtin___clear_cache(reinterpret_cast<char*>(place_), reinterpret_cast<char*>(place_ + 1));
  }

  std::uint32_t* place_;
  std::uint32_t instruction_;
};
Breakpoint* breakpoint = nullptr;

void make_code_writable(std::uintptr_t from) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = from & ~(page - 1);
  // A function of this lab is shorter than a page, but may begin on one and end on the next.
  ASSERT_EQ(mprotect(reinterpret_cast<void*>(begin), 2 * page, PROT_READ | PROT_WRITE | PROT_EXEC),
            0)
      << "the system does not let this test set breakpoints";
}

template <typename Call>
void look_at_every_instruction(Call call) {
  ASSERT_NO_FATAL_FAILURE(make_code_writable(watch.function));
  const TrapHandler handler([](int, siginfo_t*, void* context) {
    const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
    look(registers.pc, registers.sp);
    breakpoint->remove();
  });
  for (std::uintptr_t at = watch.function; belongs_to_watched(at) && !watch.wrong; at += 4) {
    Breakpoint here(at);
    breakpoint = &here;
    call();
  }
  breakpoint = nullptr;
}

#endif

std::string what_is_wrong(const char* name) {
  std::ostringstream text;
  text << "at the instruction " << name << "+" << watch.at - watch.function
       << " the unwinder is mistaken about the caller of " << name << ":\n";
  if (watch.caller.return_address != reinterpret_cast<std::uintptr_t>(&lab01_probe_back)) {
    text << "  it takes " << std::hex << "0x" << watch.caller.return_address
         << " for the return address, which is 0x"
         << reinterpret_cast<std::uintptr_t>(&lab01_probe_back) << "\n";
  }
  return text.str() + differences(expected, watch.caller.registers, lab01_home) +
         "say in unwind information what each instruction has changed, behind that instruction: "
         ".cfi_adjust_cfa_offset where the stack pointer moves, .cfi_rel_offset where a register "
         "is saved";
}

void expect_the_caller(ByHand* hand, G* running, const char* name, void (*function)(),
                       bool on_g0_too, const void* a, const void* b) {
  for (const Rounding mode : {Rounding::nearest, Rounding::up}) {
    expected = known_values();
    expected.control = rounding(mode);
    GORO_STEP("call ", name, " with ",
              mode == Rounding::nearest ? "the standard control words" : "other control words",
              ", and ask the unwinder at every instruction of it for the caller");
    watch = Watch{};
    watch.function = reinterpret_cast<std::uintptr_t>(function);
    watch.on_g0_too = on_g0_too;
    ASSERT_NO_FATAL_FAILURE(
        look_at_every_instruction([&] { hand->probe(running, expected, function, a, b); }));
    ASSERT_FALSE(watch.wrong) << what_is_wrong(name);
    ASSERT_GT(watch.seen, 4U) << "there is no unwind information that begins with " << name
                              << ": it stands between FUNCTION(" << name << ") and END(" << name
                              << ")";
  }
}

TEST(Unwinding, FindsTheCallerAtEveryInstruction) {
  {
    ByHand hand;
    ASSERT_NO_FATAL_FAILURE(expect_the_caller(
        &hand, nullptr, "goro_mstart", as_function(goro_mstart), false, hand.g0(), capture()));
  }
  {
    ByHand hand;
    G* gp = hand.this_stack_as_goroutine();
    ASSERT_NO_FATAL_FAILURE(expect_the_caller(&hand, gp, "goro_mcall", as_function(goro_mcall),
                                              false, capture(), nullptr));
  }
  ByHand hand;
  G* gp = hand.this_stack_as_goroutine();
  lab01_capture_next = return_to_caller;
  expect_the_caller(&hand, gp, "goro_systemstack", as_function(goro_systemstack), true, capture(),
                    nullptr);
}

}  // namespace
}  // namespace goro::lab01
