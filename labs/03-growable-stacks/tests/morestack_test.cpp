// Step 6: the assembly that a check calls, entered with known registers.
#include <cstring>

#include "chained.h"
#include "contracts/context_switch.h"

#if GORO_GROWABLE_STACKS

extern "C" {

// What the probes below put into the registers, and what they found after the call. Memory of its
// own: a goroutine's locals move.
struct Registers {
  std::uint64_t integer[6];  // rdi rsi rdx rcx r8 r9
  std::uint64_t rax;
  std::uint64_t ran;
  std::uint8_t vector[8][16];
};
Registers lab03_in;
Registers lab03_out;
std::int64_t lab03_offsets[16];

#if defined(__x86_64__)
// Sets every argument register from lab03_in and enters a function whose prologue calls `target`
// for a frame of `frame` bytes. The function's body stores the registers in lab03_out.
void lab03_probe_arguments(std::uint64_t frame, void (*target)());
#endif

// Puts addresses of its own frame into the registers that a callee keeps, comes to a check that
// must grow the stack, and stores in lab03_offsets how far each then is from the stack pointer.
//   x86-64: the check is for a frame of `bytes`. ARM64: the stack pointer is lowered by `bytes`
//   first.
void lab03_probe_saved(std::uint64_t bytes);
}

#if defined(__x86_64__)
/* clang-format off */
asm(R"(
        .text
        .p2align 4
        .globl  lab03_probe_arguments
        .type   lab03_probe_arguments, @function
lab03_probe_arguments:
        pushq   %rbp
        movq    %rsp, %rbp
        pushq   %rbx
        subq    $8, %rsp
        movq    %rsi, %rbx
        movq    %rdi, %r10
        leaq    lab03_in(%rip), %r11
        movups  64(%r11), %xmm0
        movups  80(%r11), %xmm1
        movups  96(%r11), %xmm2
        movups  112(%r11), %xmm3
        movups  128(%r11), %xmm4
        movups  144(%r11), %xmm5
        movups  160(%r11), %xmm6
        movups  176(%r11), %xmm7
        movq    0(%r11), %rdi
        movq    8(%r11), %rsi
        movq    16(%r11), %rdx
        movq    24(%r11), %rcx
        movq    32(%r11), %r8
        movq    40(%r11), %r9
        movq    48(%r11), %rax
        xorl    %r11d, %r11d
        callq   .Llab03_probed
        addq    $8, %rsp
        popq    %rbx
        popq    %rbp
        retq
        .size   lab03_probe_arguments, . - lab03_probe_arguments

        .p2align 4
        .type   .Llab03_probed, @function
.Llab03_probed:
        callq   *%rbx
        retq                                    # the byte that the return must skip
        leaq    lab03_out(%rip), %r11
        movups  %xmm0, 64(%r11)
        movups  %xmm1, 80(%r11)
        movups  %xmm2, 96(%r11)
        movups  %xmm3, 112(%r11)
        movups  %xmm4, 128(%r11)
        movups  %xmm5, 144(%r11)
        movups  %xmm6, 160(%r11)
        movups  %xmm7, 176(%r11)
        movq    %rdi, 0(%r11)
        movq    %rsi, 8(%r11)
        movq    %rdx, 16(%r11)
        movq    %rcx, 24(%r11)
        movq    %r8, 32(%r11)
        movq    %r9, 40(%r11)
        movq    %rax, 48(%r11)
        movq    $1, 56(%r11)
        retq
        .size   .Llab03_probed, . - .Llab03_probed

        .p2align 4
        .globl  lab03_probe_saved
        .type   lab03_probe_saved, @function
lab03_probe_saved:
        pushq   %rbp
        movq    %rsp, %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $40, %rsp
        leaq    0(%rsp), %rbx
        leaq    8(%rsp), %r12
        leaq    16(%rsp), %r13
        leaq    24(%rsp), %r14
        leaq    32(%rsp), %r15
        movq    %rdi, %r10
        xorl    %r11d, %r11d
        callq   .Llab03_checked
        leaq    lab03_offsets(%rip), %rax
        subq    %rsp, %rbx
        subq    %rsp, %r12
        subq    %rsp, %r13
        subq    %rsp, %r14
        subq    %rsp, %r15
        movq    %rbp, %rcx
        subq    %rsp, %rcx
        movq    %rbx, 0(%rax)
        movq    %r12, 8(%rax)
        movq    %r13, 16(%rax)
        movq    %r14, 24(%rax)
        movq    %r15, 32(%rax)
        movq    %rcx, 40(%rax)
        addq    $40, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        retq
        .size   lab03_probe_saved, . - lab03_probe_saved

        .p2align 4
        .type   .Llab03_checked, @function
.Llab03_checked:
        callq   __morestack
        retq
        retq
        .size   .Llab03_checked, . - .Llab03_checked
)");
/* clang-format on */
#else
/* clang-format off */
asm(R"(
        .text
        .p2align 4
        .globl  lab03_probe_saved
        .type   lab03_probe_saved, %function
lab03_probe_saved:
        stp     x29, x30, [sp, #-144]!
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        add     x19, x29, #96
        add     x20, x29, #104
        add     x21, x29, #112
        add     x22, x29, #120
        add     x23, x29, #128
        add     x24, x29, #136
        add     x25, x29, #1
        add     x26, x29, #2
        add     x27, x29, #3
        mov     x28, x0
        sub     sp, sp, x28
        mov     x0, x30
        bl      _mcount
        add     sp, sp, x28
        adrp    x0, lab03_offsets
        add     x0, x0, :lo12:lab03_offsets
        mov     x1, sp
        sub     x19, x19, x1
        sub     x20, x20, x1
        sub     x21, x21, x1
        sub     x22, x22, x1
        sub     x23, x23, x1
        sub     x24, x24, x1
        sub     x25, x25, x1
        sub     x26, x26, x1
        sub     x27, x27, x1
        sub     x2, x29, x1
        stp     x19, x20, [x0]
        stp     x21, x22, [x0, #16]
        stp     x23, x24, [x0, #32]
        stp     x25, x26, [x0, #48]
        stp     x27, x2, [x0, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x25, x26, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #144
        ret
        .size   lab03_probe_saved, . - lab03_probe_saved
)");
/* clang-format on */
#endif

namespace goro::testing {
namespace {

TEST(Morestack, AddressesInSavedRegistersMove) {
#if defined(__x86_64__)
  const std::vector<const char*> names{"rbx", "r12", "r13", "r14", "r15", "rbp"};
  const std::vector<std::int64_t> expected{0, 8, 16, 24, 32, 80};
#else
  const std::vector<const char*> names{"x19", "x20", "x21", "x22", "x23",
                                       "x24", "x25", "x26", "x27", "x29"};
  const std::vector<std::int64_t> expected{96, 104, 112, 120, 128, 136, 1, 2, 3, 0};
#endif
  GORO_STEP(
      "a function keeps addresses of its locals in the registers that a callee must keep, and "
      "calls "
      "a function for which the stack must grow");
  std::memset(lab03_offsets, 0x55, sizeof(lab03_offsets));
  std::size_t size = 0;
  on_small_stack([&] {
#if defined(__x86_64__)
    lab03_probe_saved(4000);
#else
    const G* gp = getg();
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    // Down to a little below the guard, where a check must grow the stack.
    lab03_probe_saved((here - (gp->stack.lo + kStackGuard)) & ~std::uintptr_t{15});
#endif
    size = my_stack_size();
  });
  EXPECT_GT(size, kStackMin) << "the stack did not grow";
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(lab03_offsets[i], expected[i])
        << names[i]
        << " held the address of a local; after the move it is not that local's address any "
        << "more. The registers that the switch saved are part of the stack that is relocated";
  }
}

// A handler on a signal stack of its own runs with the goroutine's limit.
volatile int handled = 0;

LAB_NOINLINE int work_in_handler(int depth) {
  volatile char local[64];
  for (std::size_t i = 0; i < sizeof(local); ++i) local[i] = static_cast<char>(depth);
  const int below = depth == 0 ? 0 : work_in_handler(depth - 1);
  asm volatile("" : : : "memory");
  return below + local[5] - local[6] + 1;
}

void on_signal(int) {
  handled = work_in_handler(20);
}

TEST(Morestack, LeavesASignalHandlerAlone) {
  static char signal_stack[64 << 10];
  stack_t own{};
  stack_t old{};
  own.ss_sp = signal_stack;
  own.ss_size = sizeof(signal_stack);
  struct sigaction action {};
  struct sigaction old_action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, &old_action);
  sigaltstack(&own, &old);
  GORO_STEP(
      "a signal arrives while a goroutine runs; its handler has a stack of its own and calls "
      "functions that check");
  std::size_t before = 0;
  std::size_t after = 0;
  on_small_stack([&] {
    raise(0);  // a library call, so that the room for the next one is made already
    before = my_stack_size();
    raise(SIGUSR1);
    after = my_stack_size();
  });
  sigaltstack(&old, nullptr);
  sigaction(SIGUSR1, &old_action, nullptr);
  EXPECT_EQ(handled, 21) << "the handler did not run to its end";
  EXPECT_EQ(after, before) << "a handler's stack pointer says nothing about the goroutine's stack";
}

#if defined(__x86_64__)

void fill_registers() {
  for (std::size_t i = 0; i < 6; ++i) lab03_in.integer[i] = 0x1111'1111'1111'1111U * (i + 1);
  lab03_in.rax = 8;
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t k = 0; k < 16; ++k) {
      lab03_in.vector[i][k] = static_cast<std::uint8_t>(0x80 + i * 16 + k);
    }
  }
  lab03_out = Registers{};
}

void expect_registers_kept() {
  EXPECT_EQ(lab03_out.ran, 1U)
      << "the function's body never ran: the return address of __morestack points at a one-byte "
         "`ret`, "
         "and returning onto it leaves the function at once; return one byte behind it";
  const char* const integer[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(lab03_out.integer[i], lab03_in.integer[i])
        << integer[i] << " holds an argument of the function that wants room and must be kept";
  }
  EXPECT_EQ(lab03_out.rax & 0xff, lab03_in.rax & 0xff)
      << "al tells a variadic function how many vector registers hold arguments: rax must be kept";
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(std::memcmp(lab03_out.vector[i], lab03_in.vector[i], 16), 0)
        << "xmm" << i
        << " holds an argument of the function that wants room; all 16 bytes must be kept";
  }
}

TEST(Morestack, KeepsEveryArgumentRegister) {
  GORO_STEP(
      "enter a function with a frame of 5,000 bytes, with a value in every argument register");
  fill_registers();
  std::size_t size = 0;
  on_small_stack([&] {
    lab03_probe_arguments(5000, __morestack);
    size = my_stack_size();
  });
  expect_registers_kept();
  EXPECT_EQ(size, 8192U) << "a frame of 5,000 bytes needs a stack of 8,192";
}

#if GORO_CHAINED_STACKS
TEST(Chain, EveryArgumentRegisterArrives) {
  GORO_STEP("on a chained stack, enter a function with a value in every argument register");
  fill_registers();
  std::size_t size = 0;
  std::size_t in_all = 0;
  on_chained_stack([&] {
    lab03_probe_arguments(5000, __morestack);
    size = my_stack_size();
    for_each_segment(getg(), [&in_all](Stack stack) { in_all += stack.size(); });
  });
  expect_registers_kept();
  EXPECT_EQ(size, kStackMin) << "a chained stack does not grow: the function has returned, and the "
                                "goroutine is on its base again";
  EXPECT_EQ(in_all, kStackMin + 8192) << "the segment of 8 KB that the function ran on is kept";
  GORO_STEP("the same with a function that calls foreign code");
  fill_registers();
  in_all = 0;
  on_chained_stack([&] {
    lab03_probe_arguments(100, __morestack_non_split);
    for_each_segment(getg(), [&in_all](Stack stack) { in_all += stack.size(); });
  });
  expect_registers_kept();
  EXPECT_EQ(in_all, kStackMin + 32'768)
      << "foreign code has 16 KB below the frame, so the function runs on a segment of 32 KB: "
         "__morestack_non_split has GROW_IF_CHAINED too, and GORO_FOREIGN_ROOM in r10 there";
}
#endif

TEST(Morestack, ForeignCodeGetsSixteenKilobytes) {
  GORO_STEP("enter a function that calls foreign code, with a value in every argument register");
  fill_registers();
  std::size_t size = 0;
  on_small_stack([&] {
    lab03_probe_arguments(100, __morestack_non_split);
    size = my_stack_size();
  });
  expect_registers_kept();
  EXPECT_EQ(size, 32'768U) << "16 KB for foreign code, the frame and what was in use before: 32 KB";
  GORO_STEP("the same where there is room already");
  fill_registers();
  goro::run([] { lab03_probe_arguments(100, __morestack_non_split); }, {.procs = 1});
  expect_registers_kept();
}

TEST(Morestack, OnAnOrdinaryThreadItOnlyReturns) {
  GORO_STEP("a thread that is not the runtime's comes to __morestack");
  ASSERT_EQ(getg(), nullptr);
  fill_registers();
  lab03_probe_arguments(100, __morestack);
  expect_registers_kept();
  GORO_STEP(
      "and to __morestack_non_split's slow part: a frame beyond the bottom of the address space");
  fill_registers();
  lab03_probe_arguments(std::uint64_t{1} << 48, __morestack_non_split);
  expect_registers_kept();
}

TEST(Morestack, OnG0ALateRequestIsForgotten) {
  const FakeM m;
  GORO_STEP("on g0, with a limit that no stack pointer is above: a request that came too late");
  fill_registers();
  std::uintptr_t limit = kStackPreempt;
  // From here to the second asm, every prologue calls __morestack.
  asm volatile("movq %0, %%fs:0x70" : : "r"(limit) : "memory");
  lab03_probe_arguments(100, __morestack);
  asm volatile("movq %%fs:0x70, %0" : "=r"(limit) : : "memory");
  asm volatile("movq $0, %%fs:0x70" : : : "memory");
  expect_registers_kept();
  EXPECT_EQ(limit, 0U) << "g0 has no limit: the word that prologues compare with must be 0 again";
}

#endif

}  // namespace
}  // namespace goro::testing
#endif
