#pragma once

#include "contracts/atomic.h"

namespace goro {

// May this process ask for barriers in all its threads? An old kernel, or a sandbox, may refuse.
bool may_ask_for_barriers();

// After a barrier in all threads, returns when `entering`, which the P's holder sets before it asks
// whether something is its own, is not set. Whatever the caller wrote before, the holder sees when
// it asks the next time. If the process may not ask for barriers, the holder never has anything of
// its own, and this returns at once. Without a P.
void wait_until_not_entering(const atomic<bool>& entering);

// The run has one P from here on, or has no longer. While the world is stopped.
void set_one_p(bool on);

// Before the first goroutine runs, and after the last one has.
void run_has_begun(int procs);
void run_is_over();

}  // namespace goro
