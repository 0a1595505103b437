// The ways a program ends that is not to go on. All exit with status 2, as Go's do.
#include "contracts/services/fatal.h"

#include <cxxabi.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <typeinfo>

#include "contracts/getg.h"
#include "contracts/not_implemented.h"
#include "contracts/services/goroutine.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/threads.h"
#include "frame/trace.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

extern "C" {
void (*goro_on_not_implemented)(int lab, int step, const char* function) = nullptr;
void (*goro_before_end)() = nullptr;
}

namespace goro {

namespace {

atomic<bool> ending{false};

// The first thread to end the process prints; others wait for the end, so that texts do not mix.
// From here on nobody is interrupted: where newstack is not implemented yet, a request to give way
// would end the process a second time, in the middle of the first. So that comes before the claim.
void claim_the_end() {
#if GORO_SIMULATE
  sim::freeze();
#endif
  nobody_gives_way_any_more();
  if (ending.exchange(true, std::memory_order_acq_rel)) {
    for (;;) pause();
  }
  if (goro_before_end != nullptr) goro_before_end();
  trace_process_ends();
}

[[noreturn]] void fatal_on_g0(const char* text, const Backtrace& trace) {
  claim_the_end();
  TextSink out(STDERR_FILENO);
  out.put("fatal error: ").put(text).put("\n").flush();
  const M* mp = getm();
  if (const G* gp = mp == nullptr ? nullptr : mp->curg.load(std::memory_order_relaxed);
      gp != nullptr) {
    out.put("\n");
    print_goroutine(&out, gp, &trace);
  }
  print_all(&out);
  out.flush();
  _exit(kExitFatal);
}

}  // namespace

// On g0, or right here where there is room: before lab 1 is done nothing can switch stacks, and
// nothing runs on a small one.
template <typename F>
void on_roomy_stack(F&& f) {
  const G* gp = getg();
  if (gp == nullptr || !is_small_stack(gp->stack_kind)) {
    f();
  } else {
    systemstack(f);
  }
}

[[noreturn]] void fatal(const char* text) {
  Backtrace trace;
  const G* gp = getg();
  if (gp == nullptr || on_g0()) {
    capture_backtrace(&trace);
  } else {
    const auto record = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    capture_frames(gp, record, &trace);
  }
  on_roomy_stack([&] { fatal_on_g0(text, trace); });
  __builtin_unreachable();
}

[[noreturn]] void fatal_status(const char* text, const G* gp, GStatus from, GStatus to) {
  on_roomy_stack([&] {
    TextSink out(STDERR_FILENO);
    out.put("runtime: goroutine ").number(gp->goid).put(" is ");
    const std::uint32_t status = gp->atomicstatus.load(std::memory_order_relaxed);
    out.put(status_name(status));
    if ((status & kGScan) != 0) out.put(" with the scan bit");
    out.put(", asked to go from ").put(status_name(static_cast<std::uint32_t>(from)));
    out.put(" to ").put(status_name(static_cast<std::uint32_t>(to))).put("\n");
    out.flush();
    fatal(text);
  });
  __builtin_unreachable();
}

[[noreturn]] void stack_overflow(G* gp, std::size_t limit) {
  claim_the_end();
  TextSink out(STDERR_FILENO);
  out.put("runtime: goroutine stack exceeds ").number(limit).put("-byte limit\n");
  out.put("runtime: sp=").hex(gp->sched.sp).put(" stack=[").hex(gp->stack.lo).put(", ");
  out.hex(gp->stack.hi).put("]\nfatal error: stack overflow\n\n");
  Backtrace trace;
  capture_parked(gp, &trace);
  print_goroutine(&out, gp, &trace);
  out.flush();
  _exit(kExitFatal);
}

[[noreturn]] void stop_with(const char* text) {
  on_roomy_stack([&] {
    claim_the_end();
    TextSink out(STDERR_FILENO);
    out.put(text).put("\n");
    out.flush();
    _exit(kExitFatal);
  });
  __builtin_unreachable();
}

[[noreturn]] void stop_with_dump(const char* text) {
  claim_the_end();
  TextSink out(STDERR_FILENO);
  out.put(text).flush();
  print_all(&out);
  out.flush();
  _exit(kExitFatal);
}

static void print_panic_text(TextSink* out) {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    out->put("terminate called without an active exception");
    return;
  }
  try {
    throw;
  } catch (const std::exception& error) {
    out->put(error.what());
  } catch (...) {
    char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, nullptr);
    out->put(name != nullptr ? name : type->name());
    std::free(name);
  }
}

// std::terminate finds no handler up to the goroutine's first frame, and so calls us on the stack
// of the throw, before anything was unwound: the backtrace shows where it came from.
void on_terminate() {
  G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) std::abort();
  claim_the_end();
  Backtrace trace;
  capture_backtrace(&trace);
  TextSink out(STDERR_FILENO);
  out.put("panic: ");
  print_panic_text(&out);
  out.put("\n\n").flush();
  on_roomy_stack([&] {
    print_goroutine(&out, gp, &trace);
    out.flush();
    _exit(kExitFatal);
  });
  __builtin_unreachable();
}

[[noreturn]] void not_implemented(int lab, int step, const char* function) {
  on_roomy_stack([&] {
    claim_the_end();
    TextSink out(STDERR_FILENO);
    out.put("not implemented: lab ").number(static_cast<std::uint64_t>(lab)).put(" step ");
    out.number(static_cast<std::uint64_t>(step));
    if (function != nullptr) out.put(" (").put(function).put(")");
    out.put("\n");
    out.flush();
    if (goro_on_not_implemented != nullptr) goro_on_not_implemented(lab, step, function);
    _exit(kExitNotImplemented);
  });
  __builtin_unreachable();
}

}  // namespace goro

extern "C" void goro_not_implemented(int lab, int step) {
  goro::not_implemented(lab, step, nullptr);
}
