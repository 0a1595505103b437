// What the assembly files share: function headers, the current G, and the word that prologues
// compare.
//
// FUNCTION(name) … END(name) frame a global function with unwind information.
// GETG(reg) loads the running G, SETG(reg, tmp) replaces it, SETGUARD(value) says where the stack
// ends, with a register or $0 (x86-64 only: on ARM64 the check reads it from the G).
// NOT_IMPLEMENTED(lab, step) is a starter's body (it switches the checks off first: what it calls
// must not come back to a check that is not written).
#pragma once

#include "contracts/offsets.h"

/* clang-format off */
#define FUNCTION(name)      \
        .text;              \
        .p2align 6;         \
        .globl name;        \
        .type name, %function; \
name:                       \
        .cfi_startproc

#define END(name)           \
        .cfi_endproc;       \
        .size name, . - name

#if defined(__x86_64__)

#if !defined(__PIC__) || defined(__PIE__)
#define GETG(reg)                               \
        movq    %fs:goro_tls_g@tpoff, reg
#define SETG(reg, tmp)                          \
        movq    reg, %fs:goro_tls_g@tpoff
#else  // for a shared library
#define GETG(reg)                               \
        movq    goro_tls_g@gottpoff(%rip), reg; \
        movq    %fs:(reg), reg
#define SETG(reg, tmp)                          \
        movq    goro_tls_g@gottpoff(%rip), tmp; \
        movq    reg, %fs:(tmp)
#endif

#define SETGUARD(value)                         \
        movq    value, %fs:0x70

#define NOT_IMPLEMENTED(lab, step)              \
        xorl    %eax, %eax;                     \
        SETGUARD(%rax);                         \
        movl    $lab, %edi;                     \
        movl    $step, %esi;                    \
        andq    $-16, %rsp;                     \
        call    goro_not_implemented

#elif defined(__aarch64__)

#define GETG(reg)                               \
        mrs     x16, tpidr_el0;                 \
        adrp    reg, :gottprel:goro_tls_g;      \
        ldr     reg, [reg, :gottprel_lo12:goro_tls_g]; \
        ldr     reg, [x16, reg]

#define SETG(reg, tmp)                          \
        mrs     x16, tpidr_el0;                 \
        adrp    tmp, :gottprel:goro_tls_g;      \
        ldr     tmp, [tmp, :gottprel_lo12:goro_tls_g]; \
        str     reg, [x16, tmp]

#define NOT_IMPLEMENTED(lab, step)              \
        GETG(x9);                               \
        cbz     x9, 99f;                        \
        str     xzr, [x9, #GORO_G_STACKGUARD0]; \
99:     mov     w0, lab;                        \
        mov     w1, step;                       \
        bl      goro_not_implemented

#endif

/* Tells the linker that nothing here needs an executable stack, and that the checks in our callers'
   prologues already count what the functions here use. */
        .section .note.GNU-stack, "", %progbits
#if defined(__x86_64__)
        .section .note.GNU-split-stack, "", %progbits
        .section .note.GNU-no-split-stack, "", %progbits
#endif
        .text
                                                             /* clang-format on */
