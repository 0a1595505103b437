// Stopping a goroutine at any instruction (x86-64).
//
//        interrupted rsp ──► ┌────────────────────┐
//                            │ red zone, 128 bytes│  may be in use: left alone
//                            ├────────────────────┤
//        pushed by the       │ interrupted pc     │  ┐ together
//        handler             │ rbp                │  ┘ a frame record: dumps walk on from here
//                    rbp ──► ├────────────────────┤
//                            │ flags, 14 registers│
//                            └────────────────────┘
//
// Vector and floating-point registers go into a SavedState: with AVX-512 they are 2.6 KB, more than a new
// goroutine's whole stack.
#include "contracts/assembly.h"
#include "contracts/preemption_offsets.h"

#if defined(__x86_64__) && defined(GORO_HAS_GROWABLE_STACKS) && !defined(GORO_SIMULATE)
/* clang-format off */

FUNCTION(goro_async_preempt)
        .cfi_signal_frame
        .cfi_def_cfa %rsp, GORO_RED_ZONE + 8
        .cfi_offset %rip, -GORO_RED_ZONE - 8
        pushq   %rbp                            // neither push nor mov changes flags
        .cfi_def_cfa_offset GORO_RED_ZONE + 16
        .cfi_offset %rbp, -GORO_RED_ZONE - 16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushfq
        cld                                     // what every function may assume
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15

        // The M's first spare state; r12 keeps it, since goro_mcall keeps r12. No signal stops us in
        // between: this is not the program's text.
        GETG(%rdi)
        movq    GORO_G_M(%rdi), %rdi
        movq    GORO_M_SPARE_STATE(%rdi), %r12
        movq    GORO_SAVED_NEXT(%r12), %rax
        movq    %rax, GORO_M_SPARE_STATE(%rdi)
        movl    goro_xsave_mask(%rip), %eax
        xorl    %edx, %edx
        xsave64 (%r12)
        // Functions on g0 find the x87 stack empty, as every function may assume. The control word is then
        // the standard one; mxcsr is goro_mcall's affair.
        fninit
        testl   $4, goro_xsave_mask(%rip)
        jz      1f
        vzeroupper                              // upper halves in use make what follows slow
1:      andq    $-16, %rsp
        leaq    goro_async_preempt2(%rip), %rdi
        callq   goro_mcall

        // Another thread, most likely.
        movl    goro_xsave_mask(%rip), %eax
        xorl    %edx, %edx
        xrstor64 (%r12)
        GIVE_BACK(%r12)
        leaq    -15 * 8(%rbp), %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rbx
        popq    %rax
        popfq
        popq    %rbp
        .cfi_def_cfa %rsp, GORO_RED_ZONE + 8
        retq    $GORO_RED_ZONE
END(goro_async_preempt)
/* clang-format on */
#endif
