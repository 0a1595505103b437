// The calls that a prologue makes when there is too little room (x86-64).
//
// On entry the function that called us has done nothing yet: every argument register is live, and its
// own return address and stack arguments are above ours.
//
//   rsp+8   return address of the function that wants room
//   rsp     return address into its prologue: a one-byte `ret`, then the body
//   r10     bytes of its frame
//   r11     bytes of its stack arguments (copying moves them along; chaining needs the figure)
#include "contracts/assembly.h"
#include "contracts/grow_if_chained.h"
#include "contracts/return_into_body.h"
#include "contracts/stack_offsets.h"

#if defined(__x86_64__)
/* clang-format off */

FUNCTION(__morestack)
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rax                            // al: how many vector registers a variadic call uses
        GROW_IF_CHAINED
        xorl    %eax, %eax                      // not a call of foreign code
.Lgrow:
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %r8
        pushq   %r9
        GETG(%rcx)
        testq   %rcx, %rcx
        je      .Lback                          // not a goroutine: nothing to grow
        movq    GORO_G_M(%rcx), %rdx
        cmpq    %rcx, GORO_M_G0(%rdx)
        je      .Lg0
        cmpq    GORO_G_STACK_LO(%rcx), %rsp
        jb      .Lback                          // a signal handler on a stack of its own
        cmpq    GORO_G_STACK_HI(%rcx), %rsp
        ja      .Lback

        subq    $128, %rsp
        movups  %xmm0, (%rsp)
        movups  %xmm1, 16(%rsp)
        movups  %xmm2, 32(%rsp)
        movups  %xmm3, 48(%rsp)
        movups  %xmm4, 64(%rsp)
        movups  %xmm5, 80(%rsp)
        movups  %xmm6, 96(%rsp)
        movups  %xmm7, 112(%rsp)
        pushq   %r10                            // the request that goro_newstack_m reads
        pushq   %rax
        // The prologue was entered with rsp 8 mod 16 and we pushed a return address and 8 + 16 + 2
        // words: rsp is a multiple of 16, as a call wants it. All of it, rbp included, is on the
        // goroutine's stack and moves with it.
        leaq    goro_newstack_m(%rip), %rdi
        callq   goro_mcall
        addq    $8, %rsp
        popq    %r10
        movups  (%rsp), %xmm0
        movups  16(%rsp), %xmm1
        movups  32(%rsp), %xmm2
        movups  48(%rsp), %xmm3
        movups  64(%rsp), %xmm4
        movups  80(%rsp), %xmm5
        movups  96(%rsp), %xmm6
        movups  112(%rsp), %xmm7
        addq    $128, %rsp
.Lback:
        popq    %r9
        popq    %r8
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        popq    %rax
        popq    %rbp
        .cfi_restore %rbp
        .cfi_def_cfa %rsp, 8
        RETURN_INTO_BODY                        // which runs on, on the new stack

.Lg0:   // Somebody asked the goroutine that this M left for g0 to give way, and wrote into the word that
        // is g0's now. The request is in the goroutine's own guard too: forget it here.
        .cfi_def_cfa %rbp, 16
        .cfi_rel_offset %rbp, 0
        xorl    %edx, %edx
        SETGUARD(%rdx)
        jmp     .Lback
END(__morestack)

// [non_split]
FUNCTION(__morestack_non_split)
        // Called at every entry of a function that calls foreign code, so the usual case is short. The
        // limit is compared as the prologue would have, but with kForeignRoom more.
        addq    $GORO_FOREIGN_ROOM, %r10
        subq    %rsp, %r10                      // what would be left, with its sign turned
        jae     2f                              // below address 0: a huge frame
        negq    %r10
        cmpq    %fs:0x70, %r10
        jb      1f
        RETURN_INTO_BODY
1:      negq    %r10
2:      addq    %rsp, %r10                      // the frame and kForeignRoom
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rax
        GROW_IF_CHAINED
        subq    $GORO_FOREIGN_ROOM, %r10
        movl    $1, %eax
        jmp     .Lgrow
END(__morestack_non_split)
// [/non_split]
/* clang-format on */
#endif
