// What slot 14's assembly needs of contracts/preemption.h, which asserts every number.
#pragma once

// SavedState: where the next free one is.
#if defined(__x86_64__)
#define GORO_SAVED_NEXT 2816
#else
#define GORO_SAVED_NEXT 4736
// The kernel's signal frame, which is what is saved on ARM64: siginfo, then the ucontext.
#define GORO_SAVED_CONTEXT 128
#define GORO_SAVED_ALTSTACK_SP 144
#define GORO_SAVED_ALTSTACK_SIZE 160
#endif

// What is left alone below an interrupted x86-64 function: its red zone.
#define GORO_RED_ZONE 128

// GIVE_BACK(state) puts a SavedState that is not needed any more onto the list of free ones. Others
// do the same at the same time; whoever takes takes all at once, so nothing comes back to the head
// that was there before. `state` is any register but those that it uses: rax on x86-64; x9, x10,
// x11 and w12 on ARM64. Uses the flags too.
#if defined(__ASSEMBLER__)
/* clang-format off */
#if defined(__x86_64__)
#define GIVE_BACK(state)                                \
        movq    goro_free_states(%rip), %rax;           \
9:      movq    %rax, GORO_SAVED_NEXT(state);           \
        lock cmpxchgq state, goro_free_states(%rip);    \
        jne     9b
#else
#define GIVE_BACK(state)                                \
        adrp    x9, goro_free_states;                   \
        add     x9, x9, #:lo12:goro_free_states;        \
9:      ldr     x10, [x9];                              \
        str     x10, [state, #GORO_SAVED_NEXT];         \
        ldaxr   x11, [x9];                              \
        cmp     x10, x11;                               \
        b.ne    9b;                                     \
        stlxr   w12, state, [x9];                       \
        cbnz    w12, 9b
#endif
/* clang-format on */
#endif
