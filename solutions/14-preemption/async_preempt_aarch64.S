// Stopping a goroutine at any instruction (ARM64).
//
// The handler copied the kernel's signal frame, which has every register, into a SavedState. So nothing is
// saved here; and the kernel restores, because no code of ours could jump to the interrupted pc without a
// register to hold it.
#include "contracts/assembly.h"
#include "contracts/preemption_offsets.h"

#if defined(__aarch64__) && defined(GORO_HAS_GROWABLE_STACKS) && !defined(GORO_SIMULATE)
/* clang-format off */

#define RT_SIGRETURN 139

FUNCTION(goro_async_preempt)
        .cfi_def_cfa x29, 16
        .cfi_offset x29, -16
        .cfi_offset x30, -8
        adrp    x0, goro_async_preempt2
        add     x0, x0, #:lo12:goro_async_preempt2
        bl      goro_mcall                      // keeps x19

        // Another thread, most likely. Its signal stack, or two threads would have the same.
        GETG(x0)
        ldr     x0, [x0, #GORO_G_M]
        ldr     x1, [x0, #GORO_M_ALTSTACK_SP]
        ldr     x2, [x0, #GORO_M_ALTSTACK_SIZE]
        str     x1, [x19, #GORO_SAVED_ALTSTACK_SP]
        str     x2, [x19, #GORO_SAVED_ALTSTACK_SIZE]
        // Ours is in use until the kernel has read it; the one before is not any more.
        ldr     x1, [x0, #GORO_M_RESUMED_STATE]
        str     x19, [x0, #GORO_M_RESUMED_STATE]
        cbz     x1, 1f
        GIVE_BACK(x1)
1:      mov     sp, x19
        mov     x8, #RT_SIGRETURN
        svc     #0
        brk     #1
END(goro_async_preempt)
/* clang-format on */
#endif
