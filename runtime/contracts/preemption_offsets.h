// What slot 14's assembly needs of contracts/preemption.h, which asserts every one of them.
#pragma once

// SavedState: where the next free one is.
#if defined(__x86_64__)
#define GORO_SAVED_NEXT 2816
#else
#define GORO_SAVED_NEXT 4736
// The kernel's signal frame, which is what is saved on ARM64: siginfo, then the ucontext.
#define GORO_SAVED_ALTSTACK_SP 144
#define GORO_SAVED_ALTSTACK_SIZE 160
#endif

// What is pushed below an interrupted x86-64 function: its red zone must stay as it is.
#define GORO_RED_ZONE 128
