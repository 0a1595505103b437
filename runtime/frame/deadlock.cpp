// Nobody left to wake anyone. Go: proc.go (checkdead).
//
// Counted, not searched: an M that has no P sleeps (nmidle), or waits for the goroutine it is
// locked to (nmidlelocked), or is sysmon (nmsys). If that is all of them, nothing will ever happen
// again. Everybody who makes an M run counts it as running first, and only then lets go of
// sched.lock.
#include <unistd.h>

#include "contracts/services/allgs.h"
#include "contracts/services/fatal.h"
#include "contracts/services/threads.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/foreign.h"

namespace goro {

void checkdead() {
  if (sched.foreign != 0 || sched.stopping.load(std::memory_order_relaxed)) return;
  const std::int64_t run = sched.mcount - sched.nmidle - sched.nmidlelocked - sched.nmsys;
  if (run > 0) return;
  if (foreign_threads_exist()) return;
  if (run < 0) {
    {
      TextSink out(STDERR_FILENO);
      out.put("runtime: checkdead: nmidle=").signed_number(sched.nmidle);
      out.put(" nmidlelocked=").signed_number(sched.nmidlelocked);
      out.put(" mcount=").signed_number(sched.mcount);
      out.put(" nmsys=").signed_number(sched.nmsys).put("\n");
    }
    fatal("checkdead: inconsistent counts");
  }
  std::int64_t waiting = 0;
  for_each_g([&](const G* gp) {
    switch (static_cast<GStatus>(gp->atomicstatus.load(std::memory_order_acquire) & ~kGScan)) {
      case GStatus::waiting:
      case GStatus::preempted:
        ++waiting;
        break;
      case GStatus::runnable:
      case GStatus::running:
      case GStatus::syscall: {
        {
          TextSink out(STDERR_FILENO);
          out.put("runtime: checkdead: find g ").number(gp->goid).put(" in status ");
          out.put(status_name(gp->atomicstatus.load(std::memory_order_relaxed))).put("\n");
        }
        fatal("checkdead: runnable g");
      }
      default:
        break;
    }
  });
  // A timer will wake somebody. (Whoever sleeps until then is on the way there, or counts as
  // running.)
  for (const P* pp : allp) {
    if (pp->timers.len.load(std::memory_order_relaxed) != 0) return;
  }
  stop_with_dump(waiting == 0
                     ? "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n"
                     : "fatal error: all goroutines are asleep - deadlock!\n");
}

}  // namespace goro
