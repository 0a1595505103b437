// Step 4. x19 is the state with the kernel's signal frame. Stops the goroutine; then has the kernel go on
// from that frame.
// contracts/preemption.h says what is where. Macros: FUNCTION, END, GETG (contracts/assembly.h), GIVE_BACK and
// the offsets of a SavedState (contracts/preemption_offsets.h), the offsets of G and M (contracts/offsets.h).
#include "contracts/assembly.h"
#include "contracts/preemption_offsets.h"

#if defined(__aarch64__) && defined(GORO_HAS_GROWABLE_STACKS) && !defined(GORO_SIMULATE)
/* clang-format off */
FUNCTION(goro_async_preempt)
        NOT_IMPLEMENTED(14, 4)
END(goro_async_preempt)
/* clang-format on */
#endif
