#pragma once

namespace goro {

// The run has one P from here on, or has no longer. While the world is stopped.
void set_one_p(bool on);

// Before the first goroutine runs, and after the last one has.
void run_has_begun(int procs);
void run_is_over();

}  // namespace goro
