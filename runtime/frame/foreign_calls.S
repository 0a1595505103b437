// Library functions' entry points for code on growable stacks.
//
// Library code has no checks in its prologues. Where the linker sees a call into it, it makes the caller
// ask for 16 KB on entry, always; and on ARM64 nothing asks at all. But almost every function could throw,
// or copies a few bytes, and then every stack would be 32 KB. So the functions that ordinary C++ calls all
// over the place are defined here, in a file that the linker knows to be safe (foreign_list.h has them):
// some only jump, some make room first, which is when something is thrown, not when something might be.
// Hidden, so that the libraries themselves go on calling their own.
#include "contracts/assembly.h"
#include "contracts/stack_offsets.h"
#include "frame/foreign_list.h"

#if defined(GORO_HAS_GROWABLE_STACKS)
/* clang-format off */
#if defined(__x86_64__)

.macro FOREIGN name
FUNCTION(\name)
        .hidden \name
        xorl    %r10d, %r10d                    // no frame of our own
        xorl    %r11d, %r11d                    // and no arguments on the stack
        callq   __morestack_non_split           // comes back behind the ret, with kForeignRoom free
        retq
        jmpq    *goro_real_\name(%rip)
END(\name)
.endm

.macro PASSING name
FUNCTION(\name)
        .hidden \name
        jmpq    *goro_real_\name(%rip)
END(\name)
.endm

.macro FIND name
FUNCTION(goro_find_\name)
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        pushq   %rsi
        .cfi_adjust_cfa_offset 8
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        pushq   %rcx
        .cfi_adjust_cfa_offset 8
        pushq   %r8
        .cfi_adjust_cfa_offset 8
        pushq   %r9
        .cfi_adjust_cfa_offset 8
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        callq   goro_find_real_functions
        popq    %rax
        .cfi_adjust_cfa_offset -8
        popq    %r9
        .cfi_adjust_cfa_offset -8
        popq    %r8
        .cfi_adjust_cfa_offset -8
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        popq    %rsi
        .cfi_adjust_cfa_offset -8
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        jmpq    *goro_real_\name(%rip)
END(goro_find_\name)
.endm

FUNCTION(_Unwind_Resume)
        xorl    %r10d, %r10d
        xorl    %r11d, %r11d
        callq   __morestack_non_split
        retq
        pushq   %rdi
        .cfi_adjust_cfa_offset 8
        callq   goro_exception_resumes
        popq    %rdi
        .cfi_adjust_cfa_offset -8
        jmpq    *goro_real__Unwind_Resume(%rip)
END(_Unwind_Resume)

#elif defined(__aarch64__)

.macro FIND name
FUNCTION(goro_find_\name)
        stp     x29, x30, [sp, #-80]!
        .cfi_adjust_cfa_offset 80
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        stp     x0, x1, [sp, #16]
        stp     x2, x3, [sp, #32]
        stp     x4, x5, [sp, #48]
        stp     x6, x8, [sp, #64]
        bl      goro_find_real_functions
        ldp     x6, x8, [sp, #64]
        ldp     x4, x5, [sp, #48]
        ldp     x2, x3, [sp, #32]
        ldp     x0, x1, [sp, #16]
        ldp     x29, x30, [sp], #80
        .cfi_adjust_cfa_offset -80
        .cfi_restore x29
        .cfi_restore x30
        adrp    x16, goro_real_\name
        ldr     x16, [x16, #:lo12:goro_real_\name]
        br      x16
END(goro_find_\name)
.endm

// Grows when kForeignRoom bytes are not free; keeps the argument registers.
FUNCTION(goro_make_foreign_room)
        GETG(x9)
        cbz     x9, 1f
        ldr     x10, [x9, #GORO_G_STACKGUARD0]
        sub     x11, sp, #GORO_FOREIGN_ROOM
        cmp     x11, x10
        b.lo    2f
1:      ret
2:      ldr     x10, [x9, #GORO_G_M]
        ldr     x10, [x10, #GORO_M_G0]
        cmp     x9, x10
        b.eq    1b
        ldr     x10, [x9, #GORO_G_STACK_LO]
        cmp     sp, x10
        b.lo    1b                              // a signal handler on a stack of its own
        ldr     x10, [x9, #GORO_G_STACK_HI]
        cmp     sp, x10
        b.hi    1b
        stp     x29, x30, [sp, #-80]!
        .cfi_adjust_cfa_offset 80
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        stp     x0, x1, [sp, #16]
        stp     x2, x3, [sp, #32]
        mov     x9, #1
        stp     x9, xzr, [sp, #-16]!            // foreign, no frame
        .cfi_adjust_cfa_offset 16
        adrp    x0, goro_newstack_m
        add     x0, x0, #:lo12:goro_newstack_m
        bl      goro_mcall
        add     sp, sp, #16
        .cfi_adjust_cfa_offset -16
        ldp     x2, x3, [sp, #32]
        ldp     x0, x1, [sp, #16]
        ldp     x29, x30, [sp], #80
        .cfi_adjust_cfa_offset -80
        .cfi_restore x29
        .cfi_restore x30
        ret
END(goro_make_foreign_room)

.macro FOREIGN name
FUNCTION(\name)
        .hidden \name
        stp     x29, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        bl      goro_make_foreign_room
        ldp     x29, x30, [sp], #16
        .cfi_adjust_cfa_offset -16
        .cfi_restore x29
        .cfi_restore x30
        adrp    x16, goro_real_\name
        ldr     x16, [x16, #:lo12:goro_real_\name]
        br      x16
END(\name)
.endm

.macro PASSING name
FUNCTION(\name)
        .hidden \name
        adrp    x16, goro_real_\name
        ldr     x16, [x16, #:lo12:goro_real_\name]
        br      x16
END(\name)
.endm

FUNCTION(_Unwind_Resume)
        stp     x29, x30, [sp, #-32]!
        .cfi_adjust_cfa_offset 32
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        str     x0, [sp, #16]
        bl      goro_make_foreign_room
        bl      goro_exception_resumes
        ldr     x0, [sp, #16]
        ldp     x29, x30, [sp], #32
        .cfi_adjust_cfa_offset -32
        .cfi_restore x29
        .cfi_restore x30
        adrp    x16, goro_real__Unwind_Resume
        ldr     x16, [x16, #:lo12:goro_real__Unwind_Resume]
        br      x16
END(_Unwind_Resume)

#endif

#define GORO_GROWS(name) FIND name; FOREIGN name;
#define GORO_PASSES(name) FIND name; PASSING name;
GORO_FOREIGN_FUNCTIONS(GORO_GROWS, GORO_PASSES)
FIND _Unwind_Resume
/* clang-format on */
#endif
