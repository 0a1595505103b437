// The life of a runtime: from run() to its return.
//
// M0 is the caller's thread, and its g0 is the caller's stack below run(). Goroutine 1 may end on
// any M. Then every M leaves when it next comes to schedule(); goroutines that are running are
// asked to give way at their next prologue. When all threads are gone, nothing of this run is in
// use any more, and its memory goes back at once: no goroutine is ended one by one.
#include "goro/run.h"

#include <exception>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/run_queue.h"
#include "contracts/services/allgs.h"
#include "contracts/services/exceptions.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/options.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/scheduling.h"
#include "contracts/stack.h"
#include "frame/cpu_count.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/fixed_stack.h"
#include "frame/settings.h"
#include "frame/signals.h"
#include "frame/simple/simple.h"
#include "frame/symbols.h"
#include "goro/go.h"

namespace goro {

extern int allocation_is_linked;

namespace {

constexpr int kMaxProcs = 65536;

atomic<bool> active{false};
std::size_t max_stack = 0;

struct MainCall {
  void (*invoke)(void*);
  void* object;
};
MainCall main_call;

[[noreturn]] void main_done(G* gp) {
  casgstatus(gp, GStatus::running, GStatus::waiting);
  dropg();
  sched.lock.lock();
  sched.stopping.store(true, std::memory_order_release);
  while (M* mp = sched.midle) {
    sched.midle = mp->schedlink;
    --sched.nmidle;
    mp->nextp = nullptr;
    mp->park.wakeup();
  }
  sched.lock.unlock();
  leave_if_asked();
  __builtin_unreachable();
}

void goroutine_1(void*) {
  main_call.invoke(main_call.object);
  mcall(main_done);
}

// After the threads have gone.
void forget_everything() {
  for_each_g([](G* gp) {
    exceptions_forget_moves(gp);
    const auto status = static_cast<GStatus>(gp->atomicstatus.load(std::memory_order_relaxed));
    if (status == GStatus::dead) return;
#if !GORO_GROWABLE_STACKS
    sanitizer_forget(gp);
#endif
    if (gp->closure.object != nullptr && gp->closure.object != gp->closure_room) {
      detail::closure_free(gp->closure.object);
    }
    if (gp->stack_kind == StackKind::fixed) {
      fixed_stack_free(gp->stack);
    } else if (gp->stack.lo != 0) {
      stackfree(nullptr, gp->stack);
    }
  });
  for (M* mp = allm; mp != nullptr;) {
    M* next = mp->alllink;
    m_delete(mp);
    mp = next;
  }
  allm = nullptr;
  for (P* pp : allp) delete pp;
  allp.clear();
  allgs_reset();
  fixed_stack_reset();
  stackpool_reset();
  page_heap_reset();
  sched.~Sched();
  new (&sched) Sched;
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
  signals_install();

  procresize(procs);
  for (int i = procs; i-- > 1;) pidle_put(allp[static_cast<std::size_t>(i)]);
  M* m0 = m_new(true);
  m0->id = sched.mcount++;
  allm = m0;

  main_call = MainCall{invoke, object};
  const Stack stack = fixed_stack_alloc(options.main_stack);
  if (stack.lo == 0) {
    signals_remove();
    std::set_terminate(outer_terminate);
    forget_everything();
    active.store(false);
    throw std::bad_alloc();
  }
  G* gp = newproc1(allp[0], Closure{goroutine_1, nullptr}, StackKind::fixed, 0, 0);
  gp->stack = stack;
  runq_put(allp[0], gp, true);

  m_run(m0, allp[0]);

  // Other Ms may be running goroutines; a request can miss one that is being switched to, so ask
  // again until all have gone. They take themselves off with nothing but their own state.
  for (bool all_gone = false; !all_gone;) {
    sched.lock.lock();
    preempt_all();
    all_gone = true;
    for (const M* mp = allm; mp != nullptr; mp = mp->alllink) {
      if (mp != m0 && !m_gone(mp)) all_gone = false;
    }
    sched.lock.unlock();
    if (!all_gone) m_wait_a_little();
  }
  m_join_all();
  forget_everything();
  signals_remove();
  std::set_terminate(outer_terminate);
  active.store(false);
}

}  // namespace detail

int max_procs(int n) {
  const int old = sched.gomaxprocs.load(std::memory_order_relaxed);
  if (n <= 0 || n == old) return old;
  if (n > kMaxProcs) throw Panic("max_procs: n is not in 1 … 65536");
  if (getg() == nullptr || on_g0()) throw Panic("max_procs outside of goro::run");
  with_stopped_world([n] { procresize(n); });
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
    print_all(&out);
  });
  return text;
}

}  // namespace goro
