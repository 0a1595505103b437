// The seam of a chained stack (x86-64). contracts/chained_stack.h says what it promises and has a picture.
#include "contracts/assembly.h"
#include "contracts/chained_stack_offsets.h"
#include "contracts/return_into_body.h"

#if defined(__x86_64__) && defined(GORO_HAS_GROWABLE_STACKS)
/* clang-format off */

// Makes \limit the limit of \g, and what prologues compare with. A request to give way stays, also one
// that came a moment ago: whoever asks sets G::preempt before it writes the limit.
.macro SET_LIMIT g limit
        cmpq    $GORO_STACK_PREEMPT, GORO_G_STACKGUARD0(\g)
        je      8f
        movq    \limit, GORO_G_STACKGUARD0(\g)
        movq    \limit, %fs:0x70
        cmpb    $0, GORO_G_PREEMPT(\g)
        je      9f
        movq    $GORO_STACK_PREEMPT, GORO_G_STACKGUARD0(\g)
8:      movq    $GORO_STACK_PREEMPT, %fs:0x70
9:
.endm

// \g leaves the segment that ends at \hi for the one before.
.macro LEAVE_SEGMENT g hi tmp
        movq    GORO_SEGMENT_OLDER_LO(\hi), \tmp
        movq    GORO_SEGMENT_OLDER_HI(\hi), \hi
        movq    \tmp, GORO_G_STACK_LO(\g)
        movq    \hi, GORO_G_STACK_HI(\g)
        addq    $GORO_STACK_GUARD, \tmp
        SET_LIMIT \g, \tmp
.endm

FUNCTION(goro_morestack_chained)
        .cfi_personality 0x1b, goro_seam_personality
        .cfi_def_cfa %rbp, 16
        .cfi_offset %rbp, -16
        pushq   %rcx
        pushq   %rdx
.Lagain:
        movq    GORO_G_STACK_LO(%rax), %rcx
        movq    GORO_G_STACK_HI(%rax), %rdx
        cmpq    %rcx, %rsp
        jb      .Lback                          // a signal handler on a stack of its own
        cmpq    %rdx, %rsp
        ja      .Lback
        cmpq    $GORO_STACK_PREEMPT, GORO_G_STACKGUARD0(%rax)
        je      .Lask
        leaq    16 - GORO_STACK_GUARD(%rbp), %rdx
        subq    %rcx, %rdx                      // so much is left for a frame
        jb      1f
        cmpq    %r10, %rdx
        jae     .Lroom
1:      movq    GORO_G_STACK_HI(%rax), %rdx
        testb   $GORO_STACK_PINNED, GORO_SEGMENT_MARK(%rdx)
        jne     .Lpinned
.Lstay: movq    GORO_SEGMENT_NEWER(%rdx), %rdx
        testq   %rdx, %rdx
        je      .Lask
        leaq    (%r10, %r11), %rcx
        cmpq    GORO_SEGMENT_ROOM(%rdx), %rcx
        ja      .Lask

        movq    GORO_SEGMENT_LO(%rdx), %rcx
        movq    %rdx, GORO_G_STACK_HI(%rax)
        movq    %rcx, GORO_G_STACK_LO(%rax)
        addq    $GORO_STACK_GUARD, %rcx
        SET_LIMIT %rax, %rcx
        leaq    -GORO_SEGMENT_SIZE(%rdx), %rax
        testq   %r11, %r11
        jne     .Lcopy
2:      movq    8(%rbp), %r10
        incq    %r10                            // behind the `ret`
        movq    %rax, %rsp
        movq    -8(%rbp), %rax
        movq    -16(%rbp), %rcx
        movq    -24(%rbp), %rdx
        // gdb follows a frame to lower addresses only out of a function of this name.
        .type   __morestack, %function
__morestack:
        .cfi_remember_state
        .cfi_def_cfa %rbp, 24                   // the caller of the function, not its prologue
        .cfi_offset %rbp, -24
        callq   *%r10

        .globl  goro_lessstack
        .hidden goro_lessstack
goro_lessstack:
        GETG(%rcx)
        movq    GORO_G_STACK_HI(%rcx), %rsi
        cmpq    $0, GORO_SEGMENT_NEWER(%rsi)
        jne     .Lrelease
3:      LEAVE_SEGMENT %rcx, %rsi, %rdi
        .cfi_restore_state
        movq    %rbp, %rsp
        popq    %rbp
        .cfi_remember_state
        .cfi_restore %rbp
        .cfi_def_cfa %rsp, 8
        retq                                    // to the prologue's `ret`, as it was predicted
        .cfi_restore_state

.Lrelease:
        .cfi_remember_state
        .cfi_def_cfa %rbp, 24
        .cfi_offset %rbp, -24
        pushq   %rax
        pushq   %rdx
        subq    $144, %rsp
        movups  %xmm0, (%rsp)
        movups  %xmm1, 16(%rsp)
        fnsave  32(%rsp)                        // a long double, or two, may be in st0 and st1
        leaq    goro_lessstack_m(%rip), %rdi
        callq   goro_mcall
        movups  (%rsp), %xmm0
        movups  16(%rsp), %xmm1
        frstor  32(%rsp)
        addq    $144, %rsp
        popq    %rdx
        popq    %rax
        GETG(%rcx)
        movq    GORO_G_STACK_HI(%rcx), %rsi
        jmp     3b
        .size   __morestack, . - __morestack
        .cfi_restore_state

.Lcopy: // Over-aligned arguments keep their place in a cache line.
        addq    $7, %r11
        andq    $-8, %r11
        subq    %r11, %rax
        leaq    -24(%rax), %rcx
        subq    %rbp, %rcx
        andl    $63, %ecx
        subq    %rcx, %rax
        movq    %r11, %rcx
4:      movq    24 - 8(%rbp, %rcx), %rdx
        movq    %rdx, -8(%rax, %rcx)
        subq    $8, %rcx
        jne     4b
        jmp     2b

.Lpinned:                                       // every now and then, is it still?
        addb    $GORO_STACK_KIND_BITS + 1, GORO_G_STACK_KIND(%rax)
        jnc     .Lstay

.Lask:  pushq   %rdi
        pushq   %rsi
        pushq   %r8
        pushq   %r9
        subq    $128, %rsp
        movups  %xmm0, (%rsp)
        movups  %xmm1, 16(%rsp)
        movups  %xmm2, 32(%rsp)
        movups  %xmm3, 48(%rsp)
        movups  %xmm4, 64(%rsp)
        movups  %xmm5, 80(%rsp)
        movups  %xmm6, 96(%rsp)
        movups  %xmm7, 112(%rsp)
        pushq   %r10                            // the request
        pushq   %r11
        leaq    goro_morestack_chained_m(%rip), %rdi
        callq   goro_mcall
        popq    %r11
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
        popq    %r9
        popq    %r8
        popq    %rsi
        popq    %rdi
        GETG(%rax)
        movzbl  GORO_G_STACK_KIND(%rax), %ecx
        andl    $GORO_STACK_KIND_BITS, %ecx
        cmpl    $GORO_STACK_KIND_CHAINED, %ecx
        je      .Lagain
        jmp     .Lback                          // its stack was copied, and there is room

.Lroom: // A request that was meant for another goroutine may stand where prologues look.
        movq    GORO_G_STACKGUARD0(%rax), %rcx
        movq    %rcx, %fs:0x70
.Lback: popq    %rdx
        popq    %rcx
        popq    %rax
        popq    %rbp
        .cfi_restore %rbp
        .cfi_def_cfa %rsp, 8
        RETURN_INTO_BODY
END(goro_morestack_chained)

// _Unwind_Reason_Code (int version, _Unwind_Action actions, …): an exception on its way through a seam.
FUNCTION(goro_seam_personality)
        .hidden goro_seam_personality
        testl   $2, %esi                        // _UA_CLEANUP_PHASE
        je      1f
        GETG(%rcx)
        movq    GORO_G_STACK_HI(%rcx), %rsi
        LEAVE_SEGMENT %rcx, %rsi, %rdi
1:      movl    $8, %eax                        // _URC_CONTINUE_UNWIND
        retq
END(goro_seam_personality)
/* clang-format on */
#endif
