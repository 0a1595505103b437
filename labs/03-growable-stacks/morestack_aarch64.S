// The call behind every prologue (ARM64, -pg). contracts/stack.h says what it gets and what it must keep.
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
2:
        NOT_IMPLEMENTED(3, 6)
END(_mcount)
/* clang-format on */
#endif
