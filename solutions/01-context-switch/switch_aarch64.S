// The context switch for ARM64. contracts/context_switch.h says what each function promises.
#include "contracts/assembly.h"

#if defined(__aarch64__)
/* clang-format off */

#define FRAME 176

// Stores what the caller of a C++ function may rely on, in the order of the contract's picture: x29 and
// x30 on top, so that the two are a frame record. Of v8 … v15 only the lower halves are the callee's.
// Leaves FPCR in x9.
.macro SAVE_REGISTERS
        sub     sp, sp, #FRAME
        .cfi_adjust_cfa_offset FRAME
        stp     d8, d9, [sp, #16]
        stp     d10, d11, [sp, #32]
        stp     d12, d13, [sp, #48]
        stp     d14, d15, [sp, #64]
        .cfi_rel_offset d8, 16
        .cfi_rel_offset d9, 24
        .cfi_rel_offset d10, 32
        .cfi_rel_offset d11, 40
        .cfi_rel_offset d12, 48
        .cfi_rel_offset d13, 56
        .cfi_rel_offset d14, 64
        .cfi_rel_offset d15, 72
        stp     x19, x20, [sp, #80]
        stp     x21, x22, [sp, #96]
        stp     x23, x24, [sp, #112]
        stp     x25, x26, [sp, #128]
        stp     x27, x28, [sp, #144]
        stp     x29, x30, [sp, #160]
        .cfi_rel_offset x19, 80
        .cfi_rel_offset x20, 88
        .cfi_rel_offset x21, 96
        .cfi_rel_offset x22, 104
        .cfi_rel_offset x23, 112
        .cfi_rel_offset x24, 120
        .cfi_rel_offset x25, 128
        .cfi_rel_offset x26, 136
        .cfi_rel_offset x27, 144
        .cfi_rel_offset x28, 152
        .cfi_rel_offset x29, 160
        .cfi_rel_offset x30, 168
        mrs     x9, fpcr
        str     x9, [sp]
.endm

FUNCTION(goro_gogo)
        // Computed and not loaded from the buffer: the goroutine that stops next asks who it is, and
        // waits for the end of this store.
        sub     x1, x0, #GORO_G_SCHED_SP
        SETG(x1, x2)
        ldr     x2, [x0, #GORO_GOBUF_SP]
        mov     sp, x2
        // Always 0 on g0, so that only the frame can ask for another. FPCR has control bits only; the
        // sticky flags are in FPSR, which belongs to nobody.
        ldr     x9, [sp]
        cbnz    x9, 2f
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
        add     sp, sp, #FRAME
        // Not `ret`: the return predictor holds the addresses of the stack that we left.
        br      x30

2:      msr     fpcr, x9
        b       1b
END(goro_gogo)

FUNCTION(goro_mcall)
        SAVE_REGISTERS
        mov     x3, x0
        GETG(x0)                                // fn's argument: the goroutine that stops
        mov     x1, sp
        str     x1, [x0, #GORO_G_SCHED_SP]
        ldr     x1, [x0, #GORO_G_M]
        ldr     x1, [x1, #GORO_M_G0]
        SETG(x1, x2)
        cbnz    x9, 2f
1:      // g0's frames below its saved stack pointer are finished with; fn starts over there.
        ldr     x2, [x1, #GORO_G_SCHED_SP]
        mov     sp, x2
        blr     x3
        brk     #1                              // fn returned

2:      msr     fpcr, xzr                       // the standard one, as always on g0
        b       1b
END(goro_mcall)

FUNCTION(goro_systemstack)
        GETG(x2)
        cbz     x2, 1f                          // not the runtime's thread
        ldr     x3, [x2, #GORO_G_M]
        ldr     x3, [x3, #GORO_M_G0]
        cmp     x2, x3
        b.eq    1f                              // on g0 already
        stp     x29, x30, [sp, #-32]!
        .cfi_adjust_cfa_offset 32
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        .cfi_def_cfa x29, 32                    // x29 finds our caller from either stack
        str     x19, [sp, #16]
        .cfi_rel_offset x19, 16
        mov     x19, x2
        SETG(x3, x4)
        mov     x9, x0
        mov     x0, x1
        ldr     x4, [x3, #GORO_G_SCHED_SP]
        mov     sp, x4
        blr     x9
        mov     sp, x29
        SETG(x19, x4)
        ldr     x19, [sp, #16]
        ldp     x29, x30, [sp], #32
        .cfi_restore x19
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa sp, 0
        ret
1:      mov     x9, x0
        mov     x0, x1
        br      x9
END(goro_systemstack)

FUNCTION(goro_mstart)
        SAVE_REGISTERS
        mov     x9, sp
        str     x9, [x0, #GORO_G_SCHED_SP]
        SETG(x0, x2)
        cbnz    x9, 2f
1:      blr     x1
        brk     #1                              // fn returned

2:      msr     fpcr, xzr                       // the standard one, as always on g0
        b       1b
END(goro_mstart)

FUNCTION(goro_gostart)
        .cfi_undefined x30                      // nobody called: unwinding ends here
        blr     x19
        brk     #1                              // a goroutine's function never returns
END(goro_gostart)
/* clang-format on */
#endif
