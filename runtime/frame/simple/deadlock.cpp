// Nobody left to wake anyone. Go: proc.go (checkdead).
#include <unistd.h>

#include "frame/dump.h"
#include "frame/end.h"
#include "frame/simple/simple.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

bool nobody_left() {
  // Every M sleeps without a P. An M that was taken from the idle list is counted as awake from
  // then on, so nobody who was woken can be overlooked.
  return sched.nmidle == sched.mcount && sched.foreign == 0 &&
         !sched.gcwaiting.load(std::memory_order_relaxed) &&
         !sched.stopping.load(std::memory_order_relaxed);
}

[[noreturn]] void report_deadlock(bool main_exited) {
#if GORO_SIMULATE
  sim::freeze();
#endif
  TextSink out(STDERR_FILENO);
  out.put(main_exited ? "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n"
                      : "fatal error: all goroutines are asleep - deadlock!\n");
  print_all(&out);
  out.flush();
  _exit(kExitFatal);
}

}  // namespace goro
