// The calls that a prologue makes when there is too little room (x86-64).
// contracts/stack.h says what they get and what they must keep.
#include "contracts/assembly.h"
#include "contracts/stack_offsets.h"

#if defined(__x86_64__)
/* clang-format off */

FUNCTION(__morestack)
        NOT_IMPLEMENTED(3, 6)
END(__morestack)

FUNCTION(__morestack_non_split)
        // Every function that calls foreign code comes here on entry, on every thread, so the usual case
        // is given: there is room for r10 bytes of frame and GORO_FOREIGN_ROOM more.
        leaq    -GORO_FOREIGN_ROOM(%rsp), %r11
        subq    %r10, %r11
        jb      1f                              // below address 0: a huge frame
        cmpq    %fs:0x70, %r11
        jb      1f
        incq    (%rsp)                          // return behind the prologue's `ret`
        retq
1:
        NOT_IMPLEMENTED(3, 6)
END(__morestack_non_split)
/* clang-format on */
#endif
