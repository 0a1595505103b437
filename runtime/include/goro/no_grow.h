// Marks a function that must not move the stack it runs on.
//
// Such a function has no check in its prologue: it must be small, must call only functions that are
// marked too, and may run in the few hundred bytes that every growable stack keeps free below its
// guard. Put the macro before a declaration that is not the definition;
// g++ refuses it on a definition.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GORO_NO_GROW
#elif defined(__x86_64__)
#define GORO_NO_GROW __attribute__((no_split_stack))
#else
#define GORO_NO_GROW __attribute__((no_instrument_function))
#endif
