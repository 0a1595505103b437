// What the files of this folder offer each other and run().
#pragma once

#include <cstdint>
#include <type_traits>

#include "contracts/model.h"

namespace goro {

// -- threads.cpp --
M* m_new(bool main_thread);
void m_delete(M* mp);
// Makes this thread run the scheduler with P pp until run() is about to return.
void m_run(M* mp, P* pp);
// Under sched.lock: an idle M that takes pp, or a new one; woken or started by the caller with
// m_start after the lock is released.
M* m_take(P* pp, bool spinning);
void m_start(M* mp);
void m_join_all();
// Has this M left its scheduler for good? And a pause for whoever waits for that.
bool m_gone(const M* mp);
void m_wait_a_little();
// Sleeps until somebody hands over a P (m->nextp), and takes it; does not return when run() is
// about to. On g0, without a P, with sched.lock held, which it releases.
void stopm();

void acquirep(P* pp);
P* releasep();
void pidle_put(P* pp);  // under sched.lock
P* pidle_get();         // under sched.lock

// -- world.cpp --
// Sets the number of Ps. The world is stopped (or has not started). Ps that go lose their
// goroutines to the GRQ. The P of this M stays if its id is below n.
void procresize(std::int32_t n);
void stop_the_world();
void start_the_world();
// On a goroutine's stack: runs f() on g0 while nothing else runs. One at a time.
void with_stopped_world_do(void (*f)(void*), void* arg);
template <typename F>
void with_stopped_world(F&& f) {
  with_stopped_world_do([](void* arg) { (*static_cast<std::remove_reference_t<F>*>(arg))(); }, &f);
}
// Asks every running goroutine to give way. Under sched.lock.
void preempt_all();
// The P's part of stopping: on g0, with a P.
void gcstopm();

// -- deadlock.cpp --
// Under sched.lock, by an M that is about to sleep and counted as idle: is nobody left to wake
// anyone?
bool nobody_left();

}  // namespace goro
