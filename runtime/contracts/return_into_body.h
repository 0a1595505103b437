// How __morestack and __morestack_non_split return, on x86-64: a macro for their assembly.
//
// With rsp at the return address: goes past the `ret`, into the body. GCC gives a function that
// calls va_start one more instruction there, `leaq 24(%rbp), %r11`: where the stack arguments are,
// seen from the frame of GCC's own __morestack. We have no such frame, so we do its work and step
// over it.
#pragma once

/* clang-format off */
#if defined(__x86_64__)
.macro RETURN_INTO_BODY
        movq    (%rsp), %r11
        cmpl    $0x185d8d4c, 1(%r11)
        je      9f
        incq    (%rsp)
        retq
9:      addq    $5, (%rsp)
        leaq    16(%rsp), %r11
        retq
.endm
#endif
