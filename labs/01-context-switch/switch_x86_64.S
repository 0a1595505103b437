// The context switch for x86-64. contracts/context_switch.h says what each function promises; the handout
// says in which order to write them, and what you need to know about the calling convention.
//
// Macros that you will want, all from contracts/assembly.h: FUNCTION, END, GETG, SETG, SETGUARD. The
// offsets of fields are in contracts/offsets.h. A macro of your own that saves the registers (.macro …
// .endm) serves two of these functions.
#include "contracts/assembly.h"

#if defined(__x86_64__)
/* clang-format off */

// Step 1. rdi: g0, rsi: fn. Saves the registers, writes g0->sched.sp, makes g0 current, calls fn.
FUNCTION(goro_mstart)
        NOT_IMPLEMENTED(1, 1)
END(goro_mstart)

// Step 2. rdi: buf. Makes buf->g current with its limit, takes its frame apart, jumps to its return address.
FUNCTION(goro_gogo)
        NOT_IMPLEMENTED(1, 2)
END(goro_gogo)

// Step 3. rdi: fn. Saves the registers, writes g->sched.sp, makes g0 current, calls fn(g) on its stack.
FUNCTION(goro_mcall)
        NOT_IMPLEMENTED(1, 3)
END(goro_mcall)

// Step 4. rdi: fn, rsi: arg. Calls fn(arg) on g0's stack and returns.
FUNCTION(goro_systemstack)
        NOT_IMPLEMENTED(1, 4)
END(goro_systemstack)

// Step 5. Reached by a jump, never by a call. Calls the function that gostartcall left in a register.
FUNCTION(goro_gostart)
        NOT_IMPLEMENTED(1, 5)
END(goro_gostart)
/* clang-format on */
#endif
