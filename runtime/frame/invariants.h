// See contracts/services/threads.h, check_invariants.
#pragma once

namespace goro {

// While the world is stopped, under sched.lock: every goroutine is on at most one queue, and
// runnable there.
#if defined(NDEBUG) && !defined(GORO_SIMULATE)
inline void check_queues(const char* /*where*/) {}
#else
void check_queues(const char* where);
#endif

}  // namespace goro
