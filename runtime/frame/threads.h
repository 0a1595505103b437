// Ms as threads: for run() and its end.
#pragma once

#include "contracts/model.h"

namespace goro {

// A new M, counted and with an id. main_thread: it stands for this thread.
M* m_new(bool main_thread);

// This thread becomes mp: getg() is its g0. Undone by m_leave_thread, which nobody asks anything of
// this thread after.
void m_enter_thread(M* mp);
void m_leave_thread(M* mp);

// Runs the scheduler on this thread, which has entered mp and holds a P, until m_leave.
void m_schedule(M* mp);

// Gives up the P, if there is one, and returns from m_schedule. On g0.
[[noreturn]] void m_leave();

// The goroutine that this M was locked to has ended, and the thread with it; M0's sleeps until
// run() returns. On g0, with a P. Go: mexit.
[[noreturn]] void mexit();

// Starts the thread of sysmon.
void sysmon_start();

// Ends sysmon's deep sleep, if it is in one: a P begins to run. Under sched.lock.
void sysmon_wake();

// Asks mp's goroutine, if it runs one, to give way. Under sched.lock.
void ask_to_give_way(M* mp);

// The same without a request in the guard: it gives way if the signal finds it at a safe point.
void ask_by_signal_only(M* mp);

// For whoever ends the process: from now on no request is written, and one that this thread's
// goroutine has got already is taken back. Any stack, any thread.
void nobody_gives_way_any_more();

// Waits for the threads of mp's list to end, and deletes the Ms (not M0). With nobody else left.
void m_join_and_delete(M* list);

}  // namespace goro
