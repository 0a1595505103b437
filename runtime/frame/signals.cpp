#include "frame/signals.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "contracts/getg.h"
#include "contracts/preemption.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/fixed_stack.h"
#include "frame/interrupt.h"
#include "frame/settings.h"
#include "frame/trace.h"

namespace goro {

namespace {

// Enough for names and source lines of a dump.
constexpr std::size_t kSignalStack = std::size_t{128} << 10;

struct sigaction old_quit;
struct sigaction old_segv;
struct sigaction old_bus;
#if GORO_ASYNC_PREEMPT
struct sigaction old_urg;
#endif

void on_quit(int, siginfo_t*, void*) {
  dump_in_signal = true;
  if (goro_before_end != nullptr) goro_before_end();
  trace_process_ends();
  TextSink out(STDERR_FILENO);
  out.put("SIGQUIT: quit\n").flush();
  if (const M* mp = getm(); mp != nullptr) {
    Backtrace trace;
    capture_backtrace(&trace);
    cut_at_run(&trace);
    const G* gp = mp->curg.load(std::memory_order_relaxed);
    if (gp != nullptr) {
      out.put("\n");
      print_goroutine(&out, gp, &trace);
    } else if (settings().traceback_system || has_program_functions(trace)) {
      out.put("\nM").number(static_cast<std::uint64_t>(mp->id)).put(" on its scheduler's stack:\n");
      print_backtrace(&out, trace);
    }
  }
  print_all(&out);
  out.flush();
  _exit(kExitFatal);
}

// Gives a signal that is not ours to whoever had the handler before. False: nobody had.
bool pass_on(const struct sigaction& old, int signal, siginfo_t* info, void* context) {
  if ((old.sa_flags & SA_SIGINFO) != 0) {
    old.sa_sigaction(signal, info, context);
  } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
    old.sa_handler(signal);
  } else {
    return false;
  }
  return true;
}

#if GORO_ASYNC_PREEMPT
// SIGURG, as in Go: a program that uses it for what it is meant for is rare, nobody is harmed by
// one too many, and debuggers let it through.
void on_preempt(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  M* mp = getm();
  if (mp != nullptr && asking_is_over_now()) {
    mp->signal_pending.store(false, std::memory_order_relaxed);
  } else if (mp == nullptr || !do_sig_preempt(mp, getg(), interrupted(context))) {
    pass_on(old_urg, signal, info, context);
  }
  errno = error;
}
#endif

void on_fault(int signal, siginfo_t* info, void* context) {
  trace_process_ends();
  const G* gp = getg();
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (gp != nullptr && in_guard_page(gp, address)) {
    dump_in_signal = true;
    if (goro_before_end != nullptr) goro_before_end();
    Backtrace trace;
    capture_backtrace(&trace);
    TextSink out(STDERR_FILENO);
    out.put("runtime: goroutine stack exceeds ").number(gp->stack.size()).put("-byte limit\n");
    out.put("fatal error: stack overflow\n\n").flush();
    print_goroutine(&out, gp, &trace);
    out.flush();
    _exit(kExitFatal);
  }
  const struct sigaction& old = signal == SIGSEGV ? old_segv : old_bus;
  if (!pass_on(old, signal, info, context)) {
    // Back to the default and on: the instruction faults again and ends the process.
    sigaction(signal, &old, nullptr);
  }
}

void install(int signal, void (*handler)(int, siginfo_t*, void*), struct sigaction* old) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, old);
}

}  // namespace

void signals_install() {
  install(SIGQUIT, on_quit, &old_quit);
  install(SIGSEGV, on_fault, &old_segv);
  install(SIGBUS, on_fault, &old_bus);
#if GORO_ASYNC_PREEMPT
  install(SIGURG, on_preempt, &old_urg);
#endif
}

void signals_remove() {
  sigaction(SIGQUIT, &old_quit, nullptr);
  sigaction(SIGSEGV, &old_segv, nullptr);
  sigaction(SIGBUS, &old_bus, nullptr);
#if GORO_ASYNC_PREEMPT
  sigaction(SIGURG, &old_urg, nullptr);
#endif
}

void signals_enter_thread(M* mp) {
  stack_t old{};
  sigaltstack(nullptr, &old);
  mp->altstack_sp = reinterpret_cast<std::uintptr_t>(old.ss_sp);
  mp->altstack_size = old.ss_size;
  if ((old.ss_flags & SS_DISABLE) == 0) return;
  mp->signal_stack = std::malloc(kSignalStack);
  if (mp->signal_stack == nullptr) return;
  stack_t own{};
  own.ss_sp = mp->signal_stack;
  own.ss_size = kSignalStack;
  sigaltstack(&own, nullptr);
  mp->altstack_sp = reinterpret_cast<std::uintptr_t>(own.ss_sp);
  mp->altstack_size = own.ss_size;
}

void signals_leave_thread(M* mp) {
  if (mp->signal_stack == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  std::free(mp->signal_stack);
  mp->signal_stack = nullptr;
}

}  // namespace goro
