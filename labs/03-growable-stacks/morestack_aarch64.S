// The call behind every prologue (ARM64, -pg). contracts/stack.h says what it must do.
//
// An ordinary call: the function has its frame already, its arguments are where the compiler keeps things
// across calls, and only x19 … x29 and d8 … d15 are ours to keep. goro_mcall keeps them.
#include "contracts/assembly.h"

#if defined(__aarch64__)
/* clang-format off */

FUNCTION(_mcount)
        // Every function comes here, on every thread, so the usual case is given: not a goroutine, or
        // above its guard. g0's guard is 0.
        GETG(x9)
        cbz     x9, 1f
        ldr     x10, [x9, #GORO_G_STACKGUARD0]
        mov     x11, sp
        cmp     x11, x10
        b.lo    2f
1:      ret

2:      // Step 6. x9 is the G, x11 the stack pointer.
        NOT_IMPLEMENTED(3, 6)
END(_mcount)
/* clang-format on */
#endif
