// The one thing between goro_mcall and goro_gogo when the switch is measured, in as few instructions as
// goro_bare_switch's caller needs to find its partner: a compiler would add a frame and a call, and
// neither is part of a switch.
#include "bench/hand_over.h"
#include "contracts/assembly.h"

/* clang-format off */
FUNCTION(goro_bars_hand_over)
#if defined(__x86_64__)
        movq    GORO_BARS_G_SCHEDLINK(%rdi), %rdi
        addq    $GORO_BARS_G_SCHED, %rdi
        jmp     goro_gogo
#elif defined(__aarch64__)
        ldr     x0, [x0, #GORO_BARS_G_SCHEDLINK]
        add     x0, x0, #GORO_BARS_G_SCHED
        b       goro_gogo
#endif
END(goro_bars_hand_over)
/* clang-format on */
