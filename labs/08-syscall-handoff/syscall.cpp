// Into a system call and back.
// contracts/syscall.h is the specification; this file is step 1 of this lab's README.
#include "contracts/syscall.h"
#include "contracts/not_implemented.h"

namespace goro {

void entersyscall() {
  GORO_NOT_IMPLEMENTED(8, 1);
}

bool exitsyscall() {
  GORO_NOT_IMPLEMENTED(8, 1);
}

P* exitsyscall_try_get_p(P* /*oldp*/) {
  GORO_NOT_IMPLEMENTED(8, 1);
}

void exitsyscall_no_p(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(8, 1);
}

void SyscallingThread::take_p() const {
  GORO_NOT_IMPLEMENTED(8, 1);
}

void SyscallingThread::gcstop_p() const {
  GORO_NOT_IMPLEMENTED(8, 1);
}

void SyscallingThread::resume() const {
  GORO_NOT_IMPLEMENTED(8, 1);
}

bool set_block_on_exit_syscall(P* /*pp*/, SyscallingThread* /*thread*/) {
  GORO_NOT_IMPLEMENTED(8, 1);
}

bool gcstop_syscall_ps() {
  GORO_NOT_IMPLEMENTED(8, 1);
}

}  // namespace goro
