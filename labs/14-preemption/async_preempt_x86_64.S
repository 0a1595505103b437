// Step 4. The interrupted pc is at rsp, the red zone above it. Saves every register there is, stops the
// goroutine, restores every register, and goes on at the pc.
// contracts/preemption.h says what is where. Macros: FUNCTION, END, GETG (contracts/assembly.h), GIVE_BACK and
// the offsets of a SavedState (contracts/preemption_offsets.h), the offsets of G and M (contracts/offsets.h).
#include "contracts/assembly.h"
#include "contracts/preemption_offsets.h"

#if defined(__x86_64__) && defined(GORO_HAS_GROWABLE_STACKS) && !defined(GORO_SIMULATE)
/* clang-format off */
FUNCTION(goro_async_preempt)
        NOT_IMPLEMENTED(14, 4)
END(goro_async_preempt)
/* clang-format on */
#endif
