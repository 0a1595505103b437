// Stopping goroutines by a signal: what is not slot 14's.
#pragma once

#include "contracts/model.h"
#include "contracts/preemption.h"

namespace goro {

// Finds out what this processor's registers need. Before the first M enters its thread.
void interrupt_init();

// This thread can be sent the signal from now on; not any more, and its states go back.
void interrupt_enter_thread(M* mp);
void interrupt_leave_thread(M* mp);

// Is everything over? Then nobody gives way any more (the process ends).
bool asking_is_over_now();

// What the handler was given.
Interrupted interrupted(void* ucontext);

// Frees every SavedState. Between two runs, by one thread.
void saved_states_reset();

// Reads the program's symbol table for text_at, the first time. Any thread with room.
void program_text_init();

// GORO_DEBUG=preemptstorm=1: a thread of its own that asks every goroutine that runs to give way, a
// thousand times a second, most of them by the signal only. While preemptoff holds it does nothing.
void preempt_storm_start();
void preempt_storm_stop();

}  // namespace goro
