// The bare switch that goro_mcall and goro_gogo are measured against: one stack to another and nothing
// else. It saves and restores the same registers as they do, compares the floating-point control words as
// they do, and goes on by an indirect jump. It knows no G, no g0 and no stack limit.
//
//   void goro_bare_switch(std::uintptr_t* from_sp, std::uintptr_t to_sp);
#include "contracts/assembly.h"

/* clang-format off */
#if defined(__x86_64__)

#define MXCSR_CONTROL 0xffc0

FUNCTION(goro_bare_switch)
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $8, %rsp
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movl    (%rsp), %eax
        movzwl  4(%rsp), %ecx
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        // What was saved a moment ago is what is set now: one look serves both.
        xorl    (%rsp), %eax
        testl   $MXCSR_CONTROL, %eax
        jne     2f
1:      cmpw    4(%rsp), %cx
        jne     3f
4:      addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        popq    %rcx
        jmpq    *%rcx

2:      ldmxcsr (%rsp)
        jmp     1b
3:      fldcw   4(%rsp)
        jmp     4b
END(goro_bare_switch)

#elif defined(__aarch64__)

FUNCTION(goro_bare_switch)
        sub     sp, sp, #176
        stp     d8, d9, [sp, #16]
        stp     d10, d11, [sp, #32]
        stp     d12, d13, [sp, #48]
        stp     d14, d15, [sp, #64]
        stp     x19, x20, [sp, #80]
        stp     x21, x22, [sp, #96]
        stp     x23, x24, [sp, #112]
        stp     x25, x26, [sp, #128]
        stp     x27, x28, [sp, #144]
        stp     x29, x30, [sp, #160]
        mrs     x9, fpcr
        str     x9, [sp]
        mov     x10, sp
        str     x10, [x0]
        mov     sp, x1
        ldr     x10, [sp]
        cmp     x9, x10
        b.eq    1f
        msr     fpcr, x10
1:      ldp     d8, d9, [sp, #16]
        ldp     d10, d11, [sp, #32]
        ldp     d12, d13, [sp, #48]
        ldp     d14, d15, [sp, #64]
        ldp     x19, x20, [sp, #80]
        ldp     x21, x22, [sp, #96]
        ldp     x23, x24, [sp, #112]
        ldp     x25, x26, [sp, #128]
        ldp     x27, x28, [sp, #144]
        ldp     x29, x30, [sp, #160]
        add     sp, sp, #176
        br      x30
END(goro_bare_switch)

#endif
/* clang-format on */
