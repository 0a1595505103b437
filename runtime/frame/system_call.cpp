// goro::system_call and goro::lock_os_thread, between the program and the slots.
//
// The call runs on g0: a library function wants room, and while the goroutine's status is `syscall`
// its stack must not move. When the P is lost for good, the goroutine has to let go of this thread,
// and goes on on another; so the call's errno travels in its frame.
#include "goro/system_call.h"

#include <cerrno>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/syscall.h"
#include "frame/trace.h"
#include "goro/lock_os_thread.h"
#include "goro/panic.h"

namespace goro {

namespace detail {

// [around_a_call]
void system_call(void (*fn)(void*), void* arg) {
  G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    fn(arg);
    return;
  }
#if !defined(NDEBUG) || defined(GORO_SIMULATE)
  if (gp->m->locks != 0) fatal("entersyscall: holding locks");
#endif
  gp->m->syscall_frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  int error = 0;
  bool has_p = false;
  systemstack([&] {
    trace_call(trace::Kind::calls, gp);
    entersyscall();
    fn(arg);
    error = errno;
    has_p = exitsyscall();
    trace_call(has_p ? trace::Kind::returns : trace::Kind::requeued, gp);
    if (has_p) errno = error;
  });
  if (has_p) return;
  mcall(exitsyscall_no_p);
  // Another thread, most likely. On g0 again: whoever calls libc from here would ask for room.
  systemstack([&] { errno = error; });
}
// [/around_a_call]

}  // namespace detail

int last_error() {
  int error = 0;
  systemstack([&] { error = errno; });
  return error;
}

void lock_os_thread() {
  if (getg() == nullptr || on_g0()) throw Panic("lock_os_thread outside of goro::run");
  bool counted = false;
  systemstack([&] { counted = dolock_os_thread(); });
  if (!counted) throw Panic("LockOSThread nesting overflow");
}

void unlock_os_thread() {
  if (getg() == nullptr || on_g0()) throw Panic("unlock_os_thread outside of goro::run");
  systemstack([] { dounlock_os_thread(); });
}

}  // namespace goro
