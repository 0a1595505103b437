// The context switch for x86-64. contracts/context_switch.h says what each function promises.
#include "contracts/assembly.h"

#if defined(__x86_64__)
/* clang-format off */

// mxcsr without its six sticky exception flags, which belong to nobody.
#define MXCSR_CONTROL 0xffc0

// Pushes what the caller of a C++ function may rely on, in the order of the contract's picture: rbp
// first, right under the return address, so that the two are a frame record.
.macro SAVE_REGISTERS
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
.endm

FUNCTION(goro_gogo)
        movq    GORO_GOBUF_G(%rdi), %rsi
        SETG(%rsi, %rax)
        // From here on a prologue would compare with the new stack's limit; we call nothing until the
        // stack pointer is there too.
        movq    GORO_G_STACKGUARD0(%rsi), %rax
        SETGUARD(%rax)
        movq    GORO_GOBUF_SP(%rdi), %rsp

        // Reading the control words is cheap, writing them stalls: write only what differs.
        stmxcsr -8(%rsp)
        movl    -8(%rsp), %eax
        xorl    (%rsp), %eax
        testl   $MXCSR_CONTROL, %eax
        jne     2f
1:      fnstcw  -8(%rsp)
        movzwl  -8(%rsp), %eax
        cmpw    4(%rsp), %ax
        jne     3f
4:      addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        // Not `ret`: the return predictor holds the addresses of the stack that we left.
        popq    %rcx
        jmpq    *%rcx

2:      // The saved control bits with the present flags.
        andl    $MXCSR_CONTROL, %eax
        xorl    -8(%rsp), %eax
        movl    %eax, -8(%rsp)
        ldmxcsr -8(%rsp)
        jmp     1b
3:      fldcw   4(%rsp)
        jmp     4b
END(goro_gogo)

FUNCTION(goro_mcall)
        SAVE_REGISTERS
        movq    %rdi, %rdx
        GETG(%rdi)                              // fn's argument: the goroutine that stops
        movq    %rsp, GORO_G_SCHED_SP(%rdi)
        movq    GORO_G_M(%rdi), %rsi
        movq    GORO_M_G0(%rsi), %rsi
        SETG(%rsi, %rax)
        xorl    %eax, %eax
        SETGUARD(%rax)                          // g0 has room: every check passes
        // g0's frames below its saved stack pointer are finished with; fn starts over there. A saved
        // stack pointer is 16-byte aligned, as a call wants it.
        movq    GORO_G_SCHED_SP(%rsi), %rsp
        callq   *%rdx
        ud2                                     // fn returned
END(goro_mcall)

FUNCTION(goro_systemstack)
        GETG(%rax)
        testq   %rax, %rax
        je      1f                              // not the runtime's thread
        movq    GORO_G_M(%rax), %rcx
        movq    GORO_M_G0(%rcx), %rcx
        cmpq    %rax, %rcx
        je      1f                              // on g0 already
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp              // rbp finds our caller from either stack
        pushq   %rbx
        .cfi_offset %rbx, -24
        movq    %rax, %rbx
        SETG(%rcx, %rdx)
        xorl    %edx, %edx
        SETGUARD(%rdx)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    GORO_G_SCHED_SP(%rcx), %rsp
        callq   *%rax
        leaq    -8(%rbp), %rsp
        SETG(%rbx, %rdx)
        movq    GORO_G_STACKGUARD0(%rbx), %rdx
        SETGUARD(%rdx)
        popq    %rbx
        .cfi_restore %rbx
        popq    %rbp
        .cfi_restore %rbp
        .cfi_def_cfa %rsp, 8
        retq
1:      movq    %rdi, %rax
        movq    %rsi, %rdi
        jmpq    *%rax
END(goro_systemstack)

FUNCTION(goro_mstart)
        SAVE_REGISTERS
        movq    %rsp, GORO_G_SCHED_SP(%rdi)
        SETG(%rdi, %rax)
        callq   *%rsi
        ud2                                     // fn returned
END(goro_mstart)

FUNCTION(goro_gostart)
        .cfi_undefined %rip                     // nobody called: unwinding ends here
        callq   *%rbx
        ud2                                     // a goroutine's function never returns
END(goro_gostart)
/* clang-format on */
#endif
