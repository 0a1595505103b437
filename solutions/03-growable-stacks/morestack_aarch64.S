// The call behind every prologue (ARM64, -pg).
//
// An ordinary call: the function has its frame, its arguments are where the compiler keeps things across
// calls, and only x19 … x29 and d8 … d15 are ours to keep. goro_mcall keeps them.
#include "contracts/assembly.h"

#if defined(__aarch64__)
/* clang-format off */

FUNCTION(_mcount)
        GETG(x9)
        cbz     x9, 1f                          // not a goroutine
        ldr     x10, [x9, #GORO_G_STACKGUARD0]
        mov     x11, sp
        cmp     x11, x10
        b.lo    2f
1:      ret

2:      ldr     x10, [x9, #GORO_G_M]
        ldr     x10, [x10, #GORO_M_G0]
        cmp     x9, x10
        b.eq    1b                              // g0 has room
        ldr     x10, [x9, #GORO_G_STACK_LO]
        cmp     x11, x10
        b.lo    1b                              // a signal handler on a stack of its own
        ldr     x10, [x9, #GORO_G_STACK_HI]
        cmp     x11, x10
        b.hi    1b
        stp     x29, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        // The request that goro_newstack_m reads: no foreign room, no frame beyond the one that is taken.
        stp     xzr, xzr, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        adrp    x0, goro_newstack_m
        add     x0, x0, #:lo12:goro_newstack_m
        bl      goro_mcall
        add     sp, sp, #16
        .cfi_adjust_cfa_offset -16
        ldp     x29, x30, [sp], #16
        .cfi_restore x29
        .cfi_restore x30
        .cfi_adjust_cfa_offset -16
        ret
END(_mcount)
/* clang-format on */
#endif
