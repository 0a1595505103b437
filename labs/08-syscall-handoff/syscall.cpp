// Into a system call and back.
// contracts/syscall.h is the specification; this file is steps 1 to 3 of this lab's README.
#include "contracts/syscall.h"

#include "contracts/not_implemented.h"

namespace goro {

// Step 1. Remember the P, wake sysmon if it sleeps, and change the status last.
void entersyscall() {
  GORO_NOT_IMPLEMENTED(8, 1);
}

// Step 1, the fast way: this M has its P still. Step 3 adds the slow one.
bool exitsyscall() {
  GORO_NOT_IMPLEMENTED(8, 1);
}

// Step 2. Holds the goroutine of pp's M in its system call, if it is in one.
bool set_block_on_exit_syscall(P* /*pp*/, SyscallingThread* /*thread*/) {
  GORO_NOT_IMPLEMENTED(8, 2);
}

// Step 2. The P leaves its M, and is idle.
void SyscallingThread::take_p() const {
  GORO_NOT_IMPLEMENTED(8, 2);
}

// Step 2. The P leaves its M, and is stopped.
void SyscallingThread::gcstop_p() const {
  GORO_NOT_IMPLEMENTED(8, 2);
}

// Step 2. Lets the goroutine go.
void SyscallingThread::resume() const {
  GORO_NOT_IMPLEMENTED(8, 2);
}

// Step 2. Every P that is in a system call, for a stop of the world.
bool gcstop_syscall_ps() {
  GORO_NOT_IMPLEMENTED(8, 2);
}

// Step 3. The old P, or an idle one.
P* exitsyscall_try_get_p(P* /*oldp*/) {
  GORO_NOT_IMPLEMENTED(8, 3);
}

// Step 3. There is no P: the goroutine waits for one, and this M sleeps.
void exitsyscall_no_p(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(8, 3);
}

}  // namespace goro
