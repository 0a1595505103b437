// The seam of a chained stack (x86-64). contracts/chained_stack.h says what it must do and has a picture.
//
// The order of the parts, the frame and what the unwinder is told of it are given. So is what you wrote in
// step 6 already: asking the scheduler with every argument register saved.
#include "contracts/assembly.h"
#include "contracts/chained_stack_offsets.h"
#include "contracts/return_into_body.h"

#if defined(__x86_64__) && defined(GORO_HAS_GROWABLE_STACKS)
/* clang-format off */

// Makes \limit, a register, the limit of the G in \g, and what prologues compare with. A request to give way
// stays, also one that came a moment ago: whoever asks sets G::preempt before it writes the limit.
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

FUNCTION(goro_morestack_chained)
        .cfi_personality 0x1b, goro_seam_personality
        .cfi_def_cfa %rbp, 16
        .cfi_offset %rbp, -16
        //  rbp+24  stack arguments of the function that wants room: r11 bytes
        //  rbp+16  its return address
        //  rbp+8   return address into its prologue: a one-byte `ret`, then the body
        //  rbp     rbp of its caller
        //  rbp-8   rax, then rcx and rdx
        pushq   %rcx
        pushq   %rdx
.Lagain:
        cmpq    GORO_G_STACK_LO(%rax), %rsp
        jb      .Lback                          // a signal handler on a stack of its own
        cmpq    GORO_G_STACK_HI(%rax), %rsp
        ja      .Lback
        cmpq    $GORO_STACK_PREEMPT, GORO_G_STACKGUARD0(%rax)
        je      .Lask

        // Step 9: is there room after all? rax is the G, r10 the bytes of the function's frame, r11 those of its
        // stack arguments; rcx and rdx are free. The frame goes from rbp+16 down to the guard at most: .Lroom.
        NOT_IMPLEMENTED(3, 9)

        // Given: a goroutine that is pinned to its base for a while may copy again when that is over. The 64th
        // time, counted in the upper bits of a byte, the scheduler looks.
        movq    GORO_G_STACK_HI(%rax), %rdx
        testb   $GORO_STACK_PINNED, GORO_SEGMENT_MARK(%rdx)
        je      .Lstay
        addb    $GORO_STACK_KIND_BITS + 1, GORO_G_STACK_KIND(%rax)
        jc      .Lask
.Lstay:
        // Step 9: is a segment kept behind this one, and is there room in it for the frame and the stack
        // arguments? rdx is the end of the G's stack. If not, .Lask, which comes back to .Lagain.
        NOT_IMPLEMENTED(3, 9)

        // Step 9: go over. The kept segment becomes the G's stack, and its guard the limit. Copy the stack
        // arguments to just below the StackSegment. At the call r10 is the address of the body, rsp is where the
        // arguments begin, and rax, rcx and rdx are as they were on entry. r11 is free.
        NOT_IMPLEMENTED(3, 9)

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
        // Step 9: the function has returned, rbp is the seam record's again. If there are newer segments behind
        // this one, release them first (.Lrelease). Then the older segment becomes the G's stack again, and its
        // guard the limit. rax, rdx, xmm0, xmm1, st0 and st1 hold results.
        NOT_IMPLEMENTED(3, 9)
.Lleft: .cfi_restore_state
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
        // Step 9: save every register that can hold a result, goro_mcall(goro_lessstack_m), restore them, and
        // go on above. `fnsave` and `frstor` take 108 bytes for st0 to st7.
        NOT_IMPLEMENTED(3, 9)
        .size   __morestack, . - __morestack
        .cfi_restore_state

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
        // Step 10. In the second phase (bit 2 of esi), leave the segment as a return would. Both times 8 is the
        // answer: _URC_CONTINUE_UNWIND.
        NOT_IMPLEMENTED(3, 10)
END(goro_seam_personality)
/* clang-format on */
#endif
