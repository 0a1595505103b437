// The context switch for ARM64. contracts/context_switch.h says what each function promises; the handout
// says in which order to write them.
#include "contracts/assembly.h"

#if defined(__aarch64__)
/* clang-format off */

FUNCTION(goro_gogo)
        NOT_IMPLEMENTED(1, 2)
END(goro_gogo)

FUNCTION(goro_mcall)
        NOT_IMPLEMENTED(1, 3)
END(goro_mcall)

FUNCTION(goro_systemstack)
        NOT_IMPLEMENTED(1, 4)
END(goro_systemstack)

FUNCTION(goro_mstart)
        NOT_IMPLEMENTED(1, 1)
END(goro_mstart)

FUNCTION(goro_gostart)
        NOT_IMPLEMENTED(1, 5)
END(goro_gostart)
/* clang-format on */
#endif
