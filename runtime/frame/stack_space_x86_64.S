// What alloca and arrays of variable length call where a stack's end is near. frame/stack_space.h says how
// they get their room.
#include "contracts/assembly.h"
#include "contracts/chained_stack_offsets.h"

#if defined(__x86_64__) && defined(GORO_HAS_GROWABLE_STACKS)
/* clang-format off */

// void* (size_t bytes). The caller finds its frame from another register than rsp, and takes rsp as it is
// when this returns.
FUNCTION(__morestack_allocate_stack_space)
        addq    $15, %rdi
        andq    $-16, %rdi
.Llook: GETG(%rax)
        testq   %rax, %rax
        je      .Lhere                          // not a goroutine: it has room
        movzbl  GORO_G_STACK_KIND(%rax), %ecx
        andl    $GORO_STACK_KIND_BITS, %ecx
        cmpl    $GORO_STACK_KIND_CHAINED, %ecx
        jne     .Lgrow
        cmpq    GORO_G_STACK_LO(%rax), %rsp
        jb      .Lhere                          // a signal handler on a stack of its own
        cmpq    GORO_G_STACK_HI(%rax), %rsp
        ja      .Lhere

        pushq   %rbp
        .cfi_remember_state
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   $-1                             // the request: no answer yet
        pushq   %rdi
        leaq    goro_allocate_space_m(%rip), %rdi
        callq   goro_mcall
        popq    %rdi
        popq    %rdx
        popq    %rbp
        .cfi_restore_state
        cmpq    $-1, %rdx
        je      .Llook                          // it gave way; its stack may be copied again
        testq   %rdx, %rdx
        je      .Lhere
        movq    (%rsp), %rcx
        subq    $16, %rsp                       // kSpaceToken
        movq    %rcx, (%rsp)
        movq    %rdx, %rax
        notq    %rdx                            // the token: nobody else keeps that
        movq    %rdx, 8(%rsp)
        retq

.Lgrow: movq    %rdi, %r10                      // as if this function had a frame of so many bytes
        xorl    %r11d, %r11d
        callq   __morestack
        retq
.Lhere: movq    (%rsp), %rcx
        subq    %rdi, %rsp                      // what is taken ends above the return address
        movq    %rcx, (%rsp)
        leaq    8(%rsp), %rax
        retq
END(__morestack_allocate_stack_space)
/* clang-format on */
#endif
