// What those who wait and those who wake need from the frame.
#pragma once

#include "contracts/model.h"
#include "contracts/sudog.h"

namespace goro {

struct Waitq;

// A new, clean sudog. It lives until the run ends. On any stack, but on a goroutine's only with
// M::locks above 0. Takes a lock of its own.
Sudog* sudog_alloc();

// Makes the parked goroutine gp runnable, from any stack of any thread: on an M's, into runnext of
// this P as goready does; on a thread that is not the runtime's, or inside a system call, into the
// GRQ. The caller holds no lock of gp's any more. Go: goready.
void wake(G* gp);

// Wakes whoever waits with sg, which was taken out of its queue: a goroutine gets it as its param.
// Afterwards sg is not the caller's any more. Any stack, any thread, no lock held.
void wake_waiter(Sudog* sg);

// The same with param null: nothing happened to it, it begins again.
void wake_to_look_again(Sudog* sg);

// A thread that is not the runtime's waits at channel c, whose lock it holds: in queue q (one of
// c's) with element `elem`, asleep in the kernel. Releases the lock. True when it was served by a
// value; false: the channel was closed, or nothing happened to it, and it looks again.
bool wait_outside(Hchan* c, Waitq* q, void* elem);

// The running goroutine, which is about to park. Not on g0, nor on a thread that is not the
// runtime's: there it throws Panic("a goroutine's operation outside of goro::run").
G* waiting_goroutine();

// Parks for ever. Throws like waiting_goroutine. Go: block; chansend and chanrecv of nil.
[[noreturn]] void park_for_ever(WaitReason reason);

// Throws Panic(text). Apart from its callers, so that they need no room for library code.
[[noreturn]] void throw_panic(const char* text);

}  // namespace goro
