// The context switch for x86-64. contracts/context_switch.h says what each function promises.
#include "contracts/assembly.h"

#if defined(__x86_64__)
/* clang-format off */

// mxcsr is control bits and six sticky exception flags, which belong to nobody.
#define MXCSR_CONTROL 0xffc0
#define MXCSR_FLAGS 0x3f

// The standard words, always in force on g0: all exceptions masked, rounding to nearest, extended
// precision. first_entry.cpp gives the same to a new goroutine.
#define MXCSR_STANDARD 0x1f80
#define X87_STANDARD 0x37f

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

// Goes to \other if the frame at rsp has any but the standard words. Nobody asks the processor: when
// gogo looks at the frame, the standard ones are in force, and when SAVE_REGISTERS has just stored it,
// the frame's are.
.macro COMPARE_CONTROL_WORDS other
        movl    (%rsp), %eax
        andl    $MXCSR_CONTROL, %eax
        cmpl    $MXCSR_STANDARD, %eax
        jne     \other
        cmpw    $X87_STANDARD, 4(%rsp)
        jne     \other
.endm

// Puts the standard words in force; the frame at rsp has just been stored and holds the present ones.
// Flags that are up stay up.
.macro LOAD_STANDARD_CONTROL_WORDS
        movl    (%rsp), %eax
        andl    $MXCSR_FLAGS, %eax
        orl     $MXCSR_STANDARD, %eax
        movl    %eax, -8(%rsp)
        ldmxcsr -8(%rsp)
        movw    $X87_STANDARD, -8(%rsp)
        fldcw   -8(%rsp)
.endm

// [gogo]
FUNCTION(goro_gogo)
        // Computed and not loaded from the buffer: the goroutine that stops next asks who it is, and
        // waits for the end of this store.
        leaq    -GORO_G_SCHED_SP(%rdi), %rsi
        SETG(%rsi, %rax)
        // From here on a prologue would compare with the new stack's limit; we call nothing until the
        // stack pointer is there too.
        movq    GORO_G_STACKGUARD0(%rsi), %rax
        SETGUARD(%rax)
        movq    GORO_GOBUF_SP(%rdi), %rsp
        COMPARE_CONTROL_WORDS 2f
1:      addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        // Not `ret`: the return predictor holds the addresses of the stack that we left.
        popq    %rcx
        jmpq    *%rcx

2:      // The frame's control bits with the present flags.
        stmxcsr -8(%rsp)
        movl    (%rsp), %eax
        xorl    -8(%rsp), %eax
        andl    $MXCSR_CONTROL, %eax
        xorl    %eax, -8(%rsp)
        ldmxcsr -8(%rsp)
        fldcw   4(%rsp)
        jmp     1b
END(goro_gogo)
// [/gogo]

// [mcall]
FUNCTION(goro_mcall)
        SAVE_REGISTERS
        movq    %rdi, %rdx
        GETG(%rdi)                              // fn's argument: the goroutine that stops
        movq    %rsp, GORO_G_SCHED_SP(%rdi)
        movq    GORO_G_M(%rdi), %rsi
        movq    GORO_M_G0(%rsi), %rsi
        SETG(%rsi, %rax)
        SETGUARD($0)                            // g0 has room: every check passes
        COMPARE_CONTROL_WORDS 2f
1:      // g0's frames below its saved stack pointer are finished with; fn starts over there, as if
        // goro_mstart had called it: the return address of that call is still in its place.
        movq    GORO_G_SCHED_SP(%rsi), %rsp
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        jmpq    *%rdx

2:      .cfi_adjust_cfa_offset -8
        LOAD_STANDARD_CONTROL_WORDS
        jmp     1b
END(goro_mcall)
// [/mcall]

// [systemstack]
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
        SETGUARD($0)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    GORO_G_SCHED_SP(%rcx), %rsp
        subq    $16, %rsp                       // leaves the return address for goro_mcall alone
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
// [/systemstack]

FUNCTION(goro_mstart)
        SAVE_REGISTERS
        movq    %rsp, GORO_G_SCHED_SP(%rdi)
        SETG(%rdi, %rax)
        COMPARE_CONTROL_WORDS 2f
1:      // The return address that this pushes stays for as long as the thread is an M. Every function
        // that goro_mcall starts has it for its own.
        callq   *%rsi
        ud2                                     // fn returned

2:      LOAD_STANDARD_CONTROL_WORDS
        jmp     1b
END(goro_mstart)

// [gostart]
FUNCTION(goro_gostart)
        .cfi_undefined %rip                     // nobody called: unwinding ends here
        callq   *%rbx
        ud2                                     // a goroutine's function never returns
END(goro_gostart)
// [/gostart]
/* clang-format on */
#endif
