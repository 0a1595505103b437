// Stopping goroutines by signals, from a test.
#pragma once

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/preemption.h"
#include "frame/interrupt.h"
#include "frame/threads.h"
#include "goro/system_stack.h"

#if GORO_ASYNC_PREEMPT

namespace goro::testing {

// What run() does before the first goroutine, and sysmon a little later: finds out what this
// processor's registers are, and which function belongs to whom.
inline void know_registers_and_text() {
  interrupt_init();
  program_text_init();
}

// Asks every M again and again, as fast as it can: far more often than GORO_DEBUG=preemptstorm=1.
class Kicker {
 public:
  explicit Kicker(void (*ask)(M*) = ask_by_signal_only) {
    thread_ = std::thread([this, ask] {
      while (!stop_.load()) {
        sched.lock.lock();
        for (M* mp = allm; mp != nullptr; mp = mp->alllink) {
          if (mp->tid.load() != 0) ask(mp);
        }
        sched.lock.unlock();
        ::usleep(20);
      }
    });
  }
  ~Kicker() {
    stop_.store(true);
    thread_.join();
  }
  Kicker(const Kicker&) = delete;
  Kicker& operator=(const Kicker&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Target {
  int process;
  int thread;
};

// The running goroutine is asked to give way, and a signal is on its way to its thread: whoever
// sends it to the target, with code of the program's own, is stopped right there. The goroutine
// must not change threads before (WholeSlices).
inline Target ask_myself() {
  return on_system_stack([] {
    M* mp = getm();
    mp->curg.load()->preempt.store(true);
    mp->signal_pending.store(true);
    return Target{::getpid(), mp->tid.load()};
  });
}

}  // namespace goro::testing

// Not in goro's namespace: what is there counts as the runtime's, and is no safe point.
namespace stoppable {

// The running goroutine stops at the end of this system call.
[[gnu::always_inline]] inline void send_signal(goro::testing::Target target) {
#if defined(__x86_64__)
  long result = 234;  // tgkill
  asm volatile("syscall"
               : "+a"(result)
               : "D"(long{target.process}), "S"(long{target.thread}), "d"(long{SIGURG})
               : "rcx", "r11", "memory");
#else
  register long process asm("x0") = target.process;
  register long thread asm("x1") = target.thread;
  register long signal asm("x2") = SIGURG;
  register long number asm("x8") = 131;  // tgkill
  asm volatile("svc #0" : "+r"(process) : "r"(thread), "r"(signal), "r"(number) : "memory");
#endif
}

[[gnu::noinline]] inline void stop_here() {
  send_signal(goro::testing::ask_myself());
}

}  // namespace stoppable

#endif
