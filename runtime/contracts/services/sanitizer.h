// Telling AddressSanitizer and ThreadSanitizer about stacks. In ordinary builds this file is empty.
//
// TSan keeps a clock and a call stack for each thread; a goroutine gets a "fiber" with its own.
// ASan wants to know the bounds of the stack it is on, before and after each switch.
#pragma once

#include "contracts/model.h"

namespace goro {

#if !GORO_GROWABLE_STACKS
void sanitizer_mcall(void (*fn)(G* gp));
void sanitizer_systemstack(void (*fn)(void* arg), void* arg);
[[noreturn]] void sanitizer_switch_to(G* gp);
// First thing on a goroutine's new stack.
void sanitizer_first_entry();
// When an M starts, when it has left its scheduler, and when a G's stack is given back.
void sanitizer_adopt_thread(M* mp);
void sanitizer_leave_thread(M* mp);
void sanitizer_forget(G* gp);
// Memory that is about to be used anew, by us or by whoever gets it from the kernel after us. An
// abandoned goroutine's frames may have been there: ASan remembers what was between their
// variables, also when the kernel has had the memory back.
void sanitizer_fresh(void* at, std::size_t bytes);
#else
inline void sanitizer_fresh(void* /*at*/, std::size_t /*bytes*/) {}
#endif

}  // namespace goro
