// The calls that a prologue makes when there is too little room (x86-64). contracts/stack.h says what they
// must do.
//
// On entry the function that called us has done nothing yet: every argument register is live, and its
// own return address and stack arguments are above ours.
//
//   rsp+8   return address of the function that wants room
//   rsp     return address into its prologue: a one-byte `ret`, then the body
//   r10     bytes of its frame
//   r11     bytes of its stack arguments (copying moves them along; chaining, step 9, needs the figure)
#include "contracts/assembly.h"
#include "contracts/grow_if_chained.h"
#include "contracts/return_into_body.h"
#include "contracts/stack_offsets.h"

#if defined(__x86_64__)
/* clang-format off */

// Step 6.
FUNCTION(__morestack)
        NOT_IMPLEMENTED(3, 6)
END(__morestack)

FUNCTION(__morestack_non_split)
        // Called at every entry of a function that calls foreign code, on every thread, so the usual case is
        // given: there is room for r10 bytes of frame and GORO_FOREIGN_ROOM more.
        addq    $GORO_FOREIGN_ROOM, %r10
        subq    %rsp, %r10                      // what would be left, with its sign turned
        jae     2f                              // below address 0: a huge frame
        negq    %r10
        cmpq    %fs:0x70, %r10
        jb      1f
        RETURN_INTO_BODY
1:      negq    %r10
2:      addq    %rsp, %r10
        subq    $GORO_FOREIGN_ROOM, %r10        // the bytes of the frame again; step 9 moves this
        // Step 6: as __morestack, but the request says "foreign".
        NOT_IMPLEMENTED(3, 6)
END(__morestack_non_split)
/* clang-format on */
#endif
