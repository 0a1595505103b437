#include "by_hand.h"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <sstream>

namespace goro::lab01 {

#if defined(__x86_64__)
const char* const kKeptNames[kKept] = {"r15", "r14", "r13", "r12", "rbx", "rbp"};
const char* const kStackPointerName = "rsp";
#else
const char* const kKeptNames[kKept] = {"d8",  "d9",  "d10", "d11", "d12", "d13", "d14",
                                       "d15", "x19", "x20", "x21", "x22", "x23", "x24",
                                       "x25", "x26", "x27", "x28", "x29"};
const char* const kStackPointerName = "sp";
#endif

extern "C" {
Captured lab01_captured;
void (*lab01_capture_next)() = nullptr;
std::uint64_t lab01_home = 0;
__attribute__((used)) Registers* lab01_after = nullptr;
}

#if defined(__x86_64__)

static_assert(offsetof(Registers, sp) == 48 && offsetof(Registers, control) == 56 &&
              offsetof(Registers, limit) == 64);
static_assert(offsetof(Captured, limit) == 32 && offsetof(Captured, control) == 40 &&
              offsetof(Captured, g) == 48 && offsetof(Captured, calls) == 56);

asm(R"(
        .text
        .p2align 4
        .globl  lab01_probe, lab01_probe_back, lab01_capture, lab01_trash_and_gogo, lab01_stop_again
        .type   lab01_probe, @function
lab01_probe:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, lab01_home(%rip)
        movq    %rsi, lab01_after(%rip)
        movq    %rdx, %rax
        movq    %rdi, %rdx
        movq    %rcx, %rdi
        movq    %r8, %rsi
        movq    (%rdx), %r15
        movq    8(%rdx), %r14
        movq    16(%rdx), %r13
        movq    24(%rdx), %r12
        movq    32(%rdx), %rbx
        movq    40(%rdx), %rbp
        ldmxcsr 56(%rdx)
        fldcw   60(%rdx)
        callq   *%rax
lab01_probe_back:
        movq    lab01_after(%rip), %rdx
        movq    %r15, (%rdx)
        movq    %r14, 8(%rdx)
        movq    %r13, 16(%rdx)
        movq    %r12, 24(%rdx)
        movq    %rbx, 32(%rdx)
        movq    %rbp, 40(%rdx)
        movq    %rsp, 48(%rdx)
        stmxcsr 56(%rdx)
        fnstcw  60(%rdx)
        movq    %fs:0x70, %rax
        movq    %rax, 64(%rdx)
        xorl    %eax, %eax
        movq    %rax, %fs:0x70
        movq    lab01_home(%rip), %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        retq
        .cfi_endproc
        .size   lab01_probe, . - lab01_probe

        .p2align 4
        .type   lab01_capture, @function
lab01_capture:
        .cfi_startproc
        movq    %rdi, lab01_captured(%rip)
        movq    %rsp, 8+lab01_captured(%rip)
        movq    %rbp, 16+lab01_captured(%rip)
        movq    (%rsp), %rax
        movq    %rax, 24+lab01_captured(%rip)
        movq    %fs:0x70, %rax
        movq    %rax, 32+lab01_captured(%rip)
        stmxcsr 40+lab01_captured(%rip)
        fnstcw  44+lab01_captured(%rip)
        movq    goro_tls_g@gottpoff(%rip), %rax
        movq    %fs:(%rax), %rax
        movq    %rax, 48+lab01_captured(%rip)
        incq    56+lab01_captured(%rip)
        jmpq    *lab01_capture_next(%rip)
        .cfi_endproc
        .size   lab01_capture, . - lab01_capture

        .p2align 4
        .type   lab01_trash_and_gogo, @function
lab01_trash_and_gogo:
        .cfi_startproc
        movq    (%rsi), %r15
        movq    8(%rsi), %r14
        movq    16(%rsi), %r13
        movq    24(%rsi), %r12
        movq    32(%rsi), %rbx
        movq    40(%rsi), %rbp
        ldmxcsr 56(%rsi)
        movq    $-1, %rax
        movq    %rax, %rcx
        movq    %rax, %rdx
        movq    %rax, %rsi
        movq    %rax, %r8
        movq    %rax, %r9
        movq    %rax, %r10
        movq    %rax, %r11
        jmp     goro_gogo
        .cfi_endproc
        .size   lab01_trash_and_gogo, . - lab01_trash_and_gogo

        .p2align 4
        .type   lab01_stop_again, @function
lab01_stop_again:
        .cfi_startproc
        .cfi_undefined %rip
        movq    %rbx, %rdi
        callq   goro_mcall
        ud2
        .cfi_endproc
        .size   lab01_stop_again, . - lab01_stop_again
)");

#else

static_assert(offsetof(Registers, sp) == 152 && offsetof(Registers, control) == 160 &&
              offsetof(Registers, flags) == 176);
static_assert(offsetof(Captured, control) == 40 && offsetof(Captured, g) == 48 &&
              offsetof(Captured, calls) == 56);

asm(R"(
        .text
        .p2align 4
        .globl  lab01_probe, lab01_probe_back, lab01_capture, lab01_trash_and_gogo, lab01_stop_again
        .type   lab01_probe, %function
lab01_probe:
        .cfi_startproc
        sub     sp, sp, #192
        .cfi_adjust_cfa_offset 192
        stp     d8, d9, [sp]
        stp     d10, d11, [sp, #16]
        stp     d12, d13, [sp, #32]
        stp     d14, d15, [sp, #48]
        stp     x19, x20, [sp, #64]
        stp     x21, x22, [sp, #80]
        stp     x23, x24, [sp, #96]
        stp     x25, x26, [sp, #112]
        stp     x27, x28, [sp, #128]
        stp     x29, x30, [sp, #144]
        .cfi_rel_offset x19, 64
        .cfi_rel_offset x20, 72
        .cfi_rel_offset x21, 80
        .cfi_rel_offset x22, 88
        .cfi_rel_offset x23, 96
        .cfi_rel_offset x24, 104
        .cfi_rel_offset x25, 112
        .cfi_rel_offset x26, 120
        .cfi_rel_offset x27, 128
        .cfi_rel_offset x28, 136
        .cfi_rel_offset x29, 144
        .cfi_rel_offset x30, 152
        mrs     x9, fpcr
        mrs     x10, fpsr
        stp     x9, x10, [sp, #160]
        adrp    x9, lab01_home
        mov     x10, sp
        str     x10, [x9, #:lo12:lab01_home]
        adrp    x9, lab01_after
        str     x1, [x9, #:lo12:lab01_after]
        mov     x9, x2
        ldr     x10, [x0, #160]
        msr     fpcr, x10
        ldr     x10, [x0, #176]
        msr     fpsr, x10
        ldp     d8, d9, [x0]
        ldp     d10, d11, [x0, #16]
        ldp     d12, d13, [x0, #32]
        ldp     d14, d15, [x0, #48]
        ldp     x19, x20, [x0, #64]
        ldp     x21, x22, [x0, #80]
        ldp     x23, x24, [x0, #96]
        ldp     x25, x26, [x0, #112]
        ldp     x27, x28, [x0, #128]
        ldr     x29, [x0, #144]
        mov     x0, x3
        mov     x1, x4
        blr     x9
lab01_probe_back:
        adrp    x9, lab01_after
        ldr     x9, [x9, #:lo12:lab01_after]
        stp     d8, d9, [x9]
        stp     d10, d11, [x9, #16]
        stp     d12, d13, [x9, #32]
        stp     d14, d15, [x9, #48]
        stp     x19, x20, [x9, #64]
        stp     x21, x22, [x9, #80]
        stp     x23, x24, [x9, #96]
        stp     x25, x26, [x9, #112]
        stp     x27, x28, [x9, #128]
        str     x29, [x9, #144]
        mov     x10, sp
        str     x10, [x9, #152]
        mrs     x10, fpcr
        str     x10, [x9, #160]
        mrs     x10, fpsr
        str     x10, [x9, #176]
        adrp    x10, lab01_home
        ldr     x10, [x10, #:lo12:lab01_home]
        mov     sp, x10
        ldp     x9, x10, [sp, #160]
        msr     fpcr, x9
        msr     fpsr, x10
        ldp     d8, d9, [sp]
        ldp     d10, d11, [sp, #16]
        ldp     d12, d13, [sp, #32]
        ldp     d14, d15, [sp, #48]
        ldp     x19, x20, [sp, #64]
        ldp     x21, x22, [sp, #80]
        ldp     x23, x24, [sp, #96]
        ldp     x25, x26, [sp, #112]
        ldp     x27, x28, [sp, #128]
        ldp     x29, x30, [sp, #144]
        add     sp, sp, #192
        .cfi_adjust_cfa_offset -192
        ret
        .cfi_endproc
        .size   lab01_probe, . - lab01_probe

        .p2align 4
        .type   lab01_capture, %function
lab01_capture:
        .cfi_startproc
        adrp    x9, lab01_captured
        add     x9, x9, #:lo12:lab01_captured
        str     x0, [x9]
        mov     x10, sp
        str     x10, [x9, #8]
        stp     x29, x30, [x9, #16]
        mrs     x10, fpcr
        str     x10, [x9, #40]
        mrs     x10, tpidr_el0
        adrp    x11, :gottprel:goro_tls_g
        ldr     x11, [x11, #:gottprel_lo12:goro_tls_g]
        ldr     x11, [x10, x11]
        ldr     x10, [x9, #56]
        add     x10, x10, #1
        stp     x11, x10, [x9, #48]
        adrp    x9, lab01_capture_next
        ldr     x9, [x9, #:lo12:lab01_capture_next]
        br      x9
        .cfi_endproc
        .size   lab01_capture, . - lab01_capture

        .p2align 4
        .type   lab01_trash_and_gogo, %function
lab01_trash_and_gogo:
        .cfi_startproc
        ldr     x10, [x1, #176]
        msr     fpsr, x10
        ldp     d8, d9, [x1]
        ldp     d10, d11, [x1, #16]
        ldp     d12, d13, [x1, #32]
        ldp     d14, d15, [x1, #48]
        ldp     x19, x20, [x1, #64]
        ldp     x21, x22, [x1, #80]
        ldp     x23, x24, [x1, #96]
        ldp     x25, x26, [x1, #112]
        ldp     x27, x28, [x1, #128]
        ldr     x29, [x1, #144]
        mov     x1, #-1
        mov     x2, x1
        mov     x3, x1
        mov     x9, x1
        mov     x10, x1
        mov     x30, x1
        b       goro_gogo
        .cfi_endproc
        .size   lab01_trash_and_gogo, . - lab01_trash_and_gogo

        .p2align 4
        .type   lab01_stop_again, %function
lab01_stop_again:
        .cfi_startproc
        .cfi_undefined x30
        mov     x0, x19
        bl      goro_mcall
        brk     #1
        .cfi_endproc
        .size   lab01_stop_again, . - lab01_stop_again
)");

#endif

ControlWords rounding(Rounding mode) {
  ControlWords words;
#if defined(__x86_64__)
  constexpr std::uint32_t kMode[] = {0, 2, 1, 3};
  words.mxcsr |= kMode[static_cast<int>(mode)] << 13;
  words.x87 = static_cast<std::uint16_t>(words.x87 | kMode[static_cast<int>(mode)] << 10);
#else
  constexpr std::uint64_t kMode[] = {0, 1, 2, 3};
  words.fpcr |= kMode[static_cast<int>(mode)] << 22;
#endif
  return words;
}

std::vector<std::pair<const char*, ControlWords>> unusual_control_words() {
  std::vector<std::pair<const char*, ControlWords>> all{
      {"rounding up", rounding(Rounding::up)},
      {"rounding down", rounding(Rounding::down)},
      {"rounding to zero", rounding(Rounding::to_zero)}};
#if defined(__x86_64__)
  ControlWords only_mxcsr = rounding(Rounding::up);
  only_mxcsr.x87 = ControlWords{}.x87;
  all.emplace_back("rounding up in mxcsr only", only_mxcsr);
  ControlWords only_x87 = rounding(Rounding::up);
  only_x87.mxcsr = ControlWords{}.mxcsr;
  all.emplace_back("rounding up in the x87 control word only", only_x87);
  ControlWords denormals;
  denormals.mxcsr |= 0x40U;
  all.emplace_back("denormals are zero (mxcsr bit 6)", denormals);
  ControlWords flush;
  flush.mxcsr |= 0x8000U;
  all.emplace_back("flush to zero (mxcsr bit 15)", flush);
#else
  all.emplace_back("flush to zero (fpcr bit 24)", ControlWords{std::uint64_t{1} << 24});
#endif
  return all;
}

std::uint64_t control_bits(const ControlWords& words) {
#if defined(__x86_64__)
  return (std::uint64_t{words.x87} << 32) | (words.mxcsr & 0xffc0U);
#else
  return words.fpcr;
#endif
}

std::uint64_t inexact_flag() {
#if defined(__x86_64__)
  return 0x20;
#else
  return 0x10;
#endif
}

std::uint64_t sticky_flags(const Registers& registers) {
#if defined(__x86_64__)
  return registers.control.mxcsr & 0x3fU;
#else
  return registers.flags & 0x9fU;
#endif
}

void raise_inexact(Registers* registers) {
#if defined(__x86_64__)
  registers->control.mxcsr |= 0x20U;
#else
  registers->flags |= 0x10U;
#endif
}

std::uint64_t seed() {
  static const std::uint64_t chosen = testing::seed();
  return chosen;
}

Registers known_values() {
  static std::mt19937_64 random(seed());
  Registers registers;
  for (std::uint64_t& value : registers.kept) value = random();
  return registers;
}

namespace {

std::string hex(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

void differ(std::string* text, const char* what, std::uint64_t before, std::uint64_t after) {
  if (before == after) return;
  *text += "  " + std::string(what) + " should be " + hex(before) + " and is " + hex(after) + "\n";
}

void differ(std::string* text, const ControlWords& before, const ControlWords& after) {
#if defined(__x86_64__)
  differ(text, "mxcsr (its control bits)", before.mxcsr & 0xffc0U, after.mxcsr & 0xffc0U);
  differ(text, "the x87 control word", before.x87, after.x87);
#else
  differ(text, "fpcr", before.fpcr, after.fpcr);
#endif
}

void differ(std::string* text, const std::uint64_t* before, const std::uint64_t* after) {
  for (std::size_t i = 0; i < kKept; ++i) {
    if (before[i] == after[i]) continue;
    std::string where;
    for (std::size_t k = 0; k < kKept; ++k) {
      if (k != i && after[i] == before[k])
        where = std::string(" (the value of ") + kKeptNames[k] + ")";
    }
    *text += std::string("  ") + kKeptNames[i] + " should be " + hex(before[i]) + " and is " +
             hex(after[i]) + where + "\n";
  }
}

std::string with_seed(std::string text) {
  return text.empty() ? text : text + "  (these values " + testing::again_with(seed()) + ")\n";
}

}  // namespace

std::string differences(const Registers& before, const Registers& after, std::uint64_t sp) {
  std::string text;
  differ(&text, before.kept, after.kept);
  if (sp != 0) differ(&text, kStackPointerName, sp, after.sp);
  differ(&text, before.control, after.control);
  return with_seed(text);
}

std::string differences(const Registers& before, const SwitchFrame& frame,
                        std::uintptr_t return_address) {
  std::string text;
  differ(&text, before.kept, frame.kept);
  differ(&text, before.control, frame.control);
  if (return_address != 0)
    differ(&text, "the return address", return_address, frame.return_address);
  return with_seed(text);
}

SwitchFrame* frame_by_hand(G* gp, const Registers& values, void (*return_address)()) {
  SwitchFrame frame{};
  frame.control = values.control;
  std::memcpy(frame.kept, values.kept, sizeof(frame.kept));
  frame.return_address = reinterpret_cast<std::uint64_t>(return_address);
  auto* place = reinterpret_cast<SwitchFrame*>(gp->stack.hi - sizeof(SwitchFrame));
  std::memcpy(place, &frame, sizeof(frame));
  gp->sched.sp = reinterpret_cast<std::uintptr_t>(place);
  return place;
}

OwnStack::OwnStack() {
  void* at = mmap(nullptr, kSize + 2 * kMargin, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
  if (at == MAP_FAILED) std::abort();
  stack_.lo = reinterpret_cast<std::uintptr_t>(at) + kMargin;
  stack_.hi = stack_.lo + kSize;
}

OwnStack::~OwnStack() {
  munmap(reinterpret_cast<void*>(stack_.lo - kMargin), kSize + 2 * kMargin);
}

ByHand::ByHand() : outer_(goro_tls_g) {
  m_.g0 = &m_.g0_storage;
  m_.g0->m = &m_;
  m_.g0->stack_kind = StackKind::system;
  m_.g0->sched.g = m_.g0;
  m_.exception_globals = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  lab01_captured = Captured{};
  lab01_capture_next = lab01_probe_back;
}

ByHand::~ByHand() {
  goro_tls_g = outer_;
}

G* ByHand::goroutine() {
  gs_.push_back(std::make_unique<G>());
  stacks_.push_back(std::make_unique<OwnStack>());
  G* gp = gs_.back().get();
  gp->stack = stacks_.back()->stack();
  gp->stack_kind = StackKind::fixed;
  gp->stackguard0.store(gp->stack.lo + kStackGuard);
  gp->goid = gs_.size();
  gp->m = &m_;
  gp->sched.g = gp;
  return gp;
}

G* ByHand::this_stack_as_goroutine() {
  G* gp = goroutine();
  m_.g0->stack = gp->stack;
  m_.g0->sched.sp = gp->stack.hi;
  gp->stack = Stack{};
  gp->stackguard0.store(kThreadLimit);
  return gp;
}

Registers ByHand::probe(G* running, const Registers& before, void (*function)(), const void* a,
                        const void* b) {
  Registers after;
  goro_tls_g = running;
#if defined(__x86_64__)
  // As goro_gogo would have left it. lab01_probe puts 0 back.
  const std::uintptr_t limit = running == nullptr ? 0 : running->stackguard0.load();
  asm volatile("movq %0, %%fs:0x70" ::"r"(limit) : "memory");
#endif
  lab01_probe(&before, &after, function, const_cast<void*>(a), const_cast<void*>(b));
  current_after_ = goro_tls_g;
  goro_tls_g = nullptr;
  return after;
}

}  // namespace goro::lab01
