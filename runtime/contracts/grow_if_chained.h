// How __morestack and __morestack_non_split leave for goro_morestack_chained (chained_stack.h), on
// x86-64: a macro for their assembly.
//
// With rbp and rax pushed and rbp at the first of the two. Uses rax, and leaves with the G in it;
// r10 and r11 are what the prologue said, r10 with kForeignRoom more for foreign code.
#pragma once

#include "contracts/chained_stack_offsets.h"

/* clang-format off */
#if defined(__x86_64__) && defined(GORO_HAS_GROWABLE_STACKS)
.macro GROW_IF_CHAINED
        GETG(%rax)
        testq   %rax, %rax
        je      9f
        testb   $(GORO_STACK_KIND_BITS - GORO_STACK_KIND_CHAINED), GORO_G_STACK_KIND(%rax)
        jne     9f
        testb   $GORO_STACK_KIND_CHAINED, GORO_G_STACK_KIND(%rax)
        jne     goro_morestack_chained
9:
.endm
#elif defined(__x86_64__)
.macro GROW_IF_CHAINED
.endm
#endif
