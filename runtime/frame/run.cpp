// The life of a runtime: from run() to its return.
//
// M0 is the caller's thread, and its g0 is the caller's stack below run(). Goroutine 1 may end on
// any M; frame/ending.cpp says how all the others follow. When the threads are gone, nothing of
// this run is in use any more, and its memory goes back at once: no goroutine is ended one by one.
#include "goro/run.h"

#include <exception>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/processors.h"
#include "contracts/run_queue.h"
#include "contracts/services/allgs.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/options.h"
#include "contracts/services/threads.h"
#include "contracts/stack.h"
#include "frame/cpu_count.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/ending.h"
#include "frame/fixed_stack.h"
#include "frame/interrupt.h"
#include "frame/one_p.h"
#include "frame/schedtrace.h"
#include "frame/settings.h"
#include "frame/signals.h"
#include "frame/symbols.h"
#include "frame/threads.h"
#include "frame/trace.h"
#include "frame/world.h"
#include "goro/go.h"

namespace goro {

extern int allocation_is_linked;

namespace {

atomic<bool> active{false};
std::size_t max_stack = 0;

struct MainCall {
  void (*invoke)(void*);
  void* object;
};
MainCall main_call;

void goroutine_1(void*) {
  main_call.invoke(main_call.object);
  mcall(main_done);
}

}  // namespace

std::size_t max_stack_size() {
  return max_stack;
}

namespace detail {

void run_main(void (*invoke)(void*), void* object, const Options& options) {
  if (options.procs < 0 || options.procs > kMaxProcs) throw Panic("run: procs is not in 0 … 65536");
  if (options.main_stack > (std::size_t{1} << 40)) throw Panic("run: main_stack is too large");
  if (getg() != nullptr || active.exchange(true))
    throw Panic("run: the runtime is running already");
  allocation_is_linked = 1;
  symbols_init();
  max_stack = options.max_stack < kStackMin ? kStackMin : options.max_stack;
  int procs = options.procs;
  if (procs == 0) procs = settings().maxprocs;
  if (procs == 0) procs = default_procs();
  const std::terminate_handler outer_terminate = std::set_terminate(on_terminate);
  interrupt_init();
  signals_install();

  allp.reserve(kMaxProcs);  // so that it never moves while others read it
  trace_run_begins(procs);
  M* m0 = m_new(true);
  m_enter_thread(m0);
  sched.lock.lock();
  m0->id = m_reserve_id();
  allm = m0;
  procresize(procs);
  sched.lock.unlock();
  run_has_begun(procs);

  main_call = MainCall{invoke, object};
  const Stack stack = fixed_stack_alloc(options.main_stack);
  if (stack.lo != 0) {
    G* gp = newproc1(m0->p, Closure{goroutine_1, nullptr}, StackKind::fixed, 0, 0);
    gp->stack = stack;
    trace_goroutine(trace::Kind::created, gp);
    runq_put(m0->p, gp, true);
    schedtrace_reset();
    sysmon_start();
    preempt_storm_start();
    m_schedule(m0);
  }
  preempt_storm_stop();
  m_leave_thread(m0);
  run_is_over();
  forget_the_run();
  signals_remove();
  std::set_terminate(outer_terminate);
  active.store(false);
  if (stack.lo == 0) throw std::bad_alloc();
}

}  // namespace detail

int max_procs(int n) {
  const int old = sched.gomaxprocs.load(std::memory_order_relaxed);
  if (n <= 0 || n == old) return old;
  if (n > kMaxProcs) throw Panic("max_procs: n is not in 1 … 65536");
  if (getg() == nullptr || on_g0()) throw Panic("max_procs outside of goro::run");
  with_stopped_world_do([](void*) {}, nullptr, n);
  return old;
}

std::size_t num_goroutine() {
  std::size_t count = 0;
  if (getg() == nullptr) return 0;
  systemstack([&] {
    for_each_g([&](const G* gp) {
      const auto status =
          static_cast<GStatus>(gp->atomicstatus.load(std::memory_order_relaxed) & ~kGScan);
      if (status != GStatus::dead) ++count;
    });
  });
  return count;
}

std::string stacks() {
  std::string text;
  if (getg() == nullptr || on_g0()) return text;
  Backtrace trace;
  capture_backtrace(&trace);
  with_stopped_world([&] {
    TextSink out(&text);
    print_goroutine(&out, getm()->curg.load(std::memory_order_relaxed), &trace);
    sched.lock.lock();  // threads come and go even now
    print_all(&out);
    sched.lock.unlock();
  });
  return text;
}

}  // namespace goro
