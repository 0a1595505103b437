// A goroutine's first steps, its stack, and the go statement.
#include "contracts/services/goroutine.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "contracts/chained_stack.h"
#include "contracts/lifecycle.h"
#include "contracts/run_queue.h"
#include "contracts/services/exceptions.h"
#include "contracts/services/fatal.h"
#include "contracts/services/pin.h"
#include "contracts/services/scheduling.h"
#include "contracts/stack.h"
#include "frame/end.h"
#include "frame/entry.h"
#include "frame/fixed_stack.h"
#include "frame/settings.h"
#include "frame/stack_space.h"
#include "frame/trace.h"
#include "goro/go.h"
#include "goro/panic.h"
#include "goro/run.h"
#include "goro/system_stack.h"

namespace goro {

static_assert(detail::kSmallClosure == kClosureRoom);

namespace {

// What exit_goroutine throws. Not a std::exception: no handler of the program's but `catch (...)`
// meets it.
struct ExitGoroutine {};

// The first C++ function on every goroutine's stack. Catches only ExitGoroutine: for anything else
// the unwinder finds no handler and calls std::terminate while the stack is still whole.
void goroutine_main() {
#if !GORO_GROWABLE_STACKS
  sanitizer_first_entry();
#endif
  G* gp = getg();
  try {
    gp->closure.invoke(gp->closure.object);
  } catch (const ExitGoroutine&) {
    // Its frames are unwound; the goroutine ends like any other.
  }
  mcall(goexit0);
}

// What lies below the switch frame of a goroutine that gopreempt_m stopped. Nothing else is in use
// there, and nothing moves the stack of a goroutine that is runnable.
struct Kept {
  void (*invoke)(void* object);
  int error;
};
Kept* kept(const G* gp) {
  return reinterpret_cast<Kept*>(gp->sched.sp) - 1;
}

// Stands in closure.invoke meanwhile. G has no bit to spare in the lines that a switch reads, and
// nobody looks at that word while its goroutine is stopped, except here. Never called.
void errno_is_kept(void* /*object*/) {}

// What follows stands apart from g_prepare_to_run and before_park, which every switch calls: those
// need no frame then, and call no library function. A function that does has a prologue that never
// lets it pass without a call (__morestack_non_split), and the processor mispredicts its return.

__attribute__((noinline)) void give_errno_back(G* gp) {
  gp->closure.invoke = kept(gp)->invoke;
  errno = kept(gp)->error;
}

// [first_stack]
__attribute__((noinline)) void first_stack(G* gp) {
  // A fixed stack was made when the goroutine was, because that can fail.
  if (is_small_stack(gp->stack_kind)) gp->stack = stackalloc(getm()->p, kStackMin);
  gostartcall(&gp->sched, gp->stack.hi, goroutine_main);
  gp->quiet_parks = 0;
}
// [/first_stack]

__attribute__((noinline)) void record_park(const G* gp) {
  trace_stop(trace::Kind::parks, gp, static_cast<std::uint8_t>(gp->waitreason.get()));
}

#if GORO_GROWABLE_STACKS
constexpr int kQuietParks = 64;

// Of a chained stack: segments to spare, and bytes that alloca had no room for. A pinned one may be
// growable again afterwards.
void release_if_quiet(G* gp) {
  if (unpin_if_over(gp, gp->sched.sp)) return;
  const bool space = may_have_unused_space(gp->stack);
  if (stack_links(gp->stack)->newer == 0 && !space) return;
  gp->quiet_parks = (gp->quiet_parks + 1) % kQuietParks;
  if (gp->quiet_parks != 0) return;
  release_newer_segments(getm()->p, gp->stack);
  if (space) release_unused_space(gp, gp->sched.sp);
}

// [shrink_if_quiet]
// before_park's, for a stack that has grown or may have a segment to spare.
//
// Go shrinks when the garbage collector scans a stack. We have no collector, and a goroutine that
// parks is the next best occasion: its stack is quiet and in the cache. Not at once, or a loop
// that recurses and parks would copy its stack twice a round.
__attribute__((noinline)) void shrink_if_quiet(G* gp) {
  if (gp->stack_kind == StackKind::chained) release_if_quiet(gp);
  if (gp->stack_kind != StackKind::growable) return;
  if (gp->stack.hi - gp->sched.sp + kStackGuard >= gp->stack.size() / 4) {
    gp->quiet_parks = 0;
  } else if (gp->quiet_parks + 1 < kQuietParks) {
    ++gp->quiet_parks;
  } else {
    gp->quiet_parks = 0;
    const Stack old = gp->stack;
    shrinkstack(gp);
    // What unlockf will be given is often a local of the goroutine: it moved too, by as much as the
    // stack's upper end did.
    M* mp = getm();
    const auto lock = reinterpret_cast<std::uintptr_t>(mp->waitlock);
    if (old.contains(lock)) {
      mp->waitlock = reinterpret_cast<void*>(gp->stack.hi - (old.hi - lock));
    }
  }
}
// [/shrink_if_quiet]
#endif

// An mcall function.
[[noreturn]] void yield_m(G* gp) {
  trace_stop(trace::Kind::yields, gp);
  gosched_m(gp);
}

#if GORO_GROWABLE_STACKS && !GORO_CHAINED_STACKS
// A word of the closure that points into the spawner's own stack would go stale when that stack
// moves.
void inspect_closure(const G* spawner, const void* object, std::size_t size) {
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= size; at += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    std::memcpy(&word, static_cast<const std::byte*>(object) + at, sizeof(word));
    if (spawner->stack.contains(word)) refuse_closure(spawner, word, at);
  }
}
#endif

}  // namespace

// [prepare_to_run]
static void give_its_limit(G* gp) {
  gp->preempt.store(false, std::memory_order_relaxed);
  gp->stackguard0.store(gp->stack.lo + kStackGuard, std::memory_order_relaxed);
}

// Apart, so that most starts are a few loads without a frame.
__attribute__((noinline)) static void prepare_with_more(G* gp) {
  trace_start(gp);
  if (gp->sched.sp == 0) first_stack(gp);
  if (gp->closure.invoke == errno_is_kept) give_errno_back(gp);
  give_its_limit(gp);
}

void g_prepare_to_run(G* gp) {
  if (gp->sched.sp == 0 || trace_is_on() || gp->closure.invoke == errno_is_kept) {
    return prepare_with_more(gp);
  }
  give_its_limit(gp);
}
// [/prepare_to_run]

[[noreturn]] void gopreempt_m(G* gp) {
#if GORO_GROWABLE_STACKS
  *kept(gp) = {gp->closure.invoke, errno};
  gp->closure.invoke = errno_is_kept;
#endif
  trace_stop(trace::Kind::preempted, gp);
  gosched_m(gp);
}

void g_free_stack(G* gp) {
  trace_stop(trace::Kind::ends, gp);
#if !GORO_GROWABLE_STACKS
  sanitizer_forget(gp);
#endif
  exceptions_forget_moves(gp);
  if (gp->stack_kind == StackKind::growable) {
    stackfree(getm()->p, gp->stack);
  } else if (gp->stack_kind == StackKind::chained) {
    P* pp = getm()->p;
    release_all_space(gp);
    for_each_segment(gp, [pp](Stack stack) { stackfree(pp, stack); });
  } else {
    fixed_stack_free(gp->stack);
  }
  gp->stack = Stack{};
  if (gp->lockedm != nullptr) {
    // The program may have locked the thread because it put it into an unusual state: nobody else
    // may have it. schedule() sees that it is locked still, and ends it.
    M* mp = getm();
    if (mp->locked_int != 0) fatal("internal lockOSThread error");
    gp->lockedm = nullptr;
    mp->locked_ext = 0;
    mp->thread_ends = true;
  }
}

// [before_park]
void before_park(G* gp) {
  if (trace_is_on()) [[unlikely]]
    record_park(gp);
#if GORO_GROWABLE_STACKS
  if (gp->stack.size() != kStackMin || gp->stack_kind == StackKind::chained) shrink_if_quiet(gp);
#endif
}
// [/before_park]

namespace detail {

void* closure_alloc(std::size_t size, std::size_t align) {
  void* room = nullptr;
  if (align < alignof(std::max_align_t)) align = alignof(std::max_align_t);
  systemstack([&] { room = std::aligned_alloc(align, (size + align - 1) / align * align); });
  if (room == nullptr) throw std::bad_alloc();
  return room;
}

void closure_free(void* object) {
  systemstack([&] {
    // Its goroutine can be stopped before it ends, and the run may be over then: nobody is to free
    // it a second time.
    M* mp = getm();
    G* gp = mp != nullptr ? mp->curg.load(std::memory_order_relaxed) : nullptr;
    if (gp != nullptr && gp->closure.object == object) gp->closure.object = nullptr;
    std::free(object);
  });
}

void spawn(const SpawnRequest& request) {
  G* self = getg();
  if (self == nullptr || self->stack_kind == StackKind::system) {
    throw Panic("go outside of goro::run");
  }
  const auto pc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  [[maybe_unused]] const auto record = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  StackKind kind = default_stack_kind();
  std::size_t fixed_bytes = request.options.stack.fixed_bytes;
  if (fixed_bytes >= detail::kGrowableStack) {
    const bool chained = fixed_bytes == detail::kChainedStack;
#if GORO_CHAINED_STACKS
    kind = chained ? StackKind::chained : StackKind::growable;
    fixed_bytes = 0;
#else
    fixed_bytes = chained ? detail::kInsteadOfChained : 0;
#endif
  }
  Stack fixed;
  if (fixed_bytes != 0) {
    systemstack([&] { fixed = fixed_stack_alloc(fixed_bytes); });
    if (fixed.lo == 0) throw std::bad_alloc();
  }
  systemstack([&] {
    P* pp = getm()->p;
    G* gp = newproc1(pp, Closure{request.invoke, request.object},
                     fixed_bytes != 0 ? StackKind::fixed : kind, self->goid, pc);
    if (request.construct != nullptr) {
      request.construct(gp->closure_room, request.object);
      gp->closure.object = gp->closure_room;
    }
    // Where it is now: a string that was moved there no longer points into itself on the stack.
    if (request.size >= sizeof(void*) && !request.options.unchecked) {
#if GORO_CHAINED_STACKS
      // go() looked itself at a closure that it put into the heap.
      if (request.construct != nullptr && is_small_stack(self->stack_kind)) {
        pin_what_it_points_at(self, record, gp->closure.object, request.size);
      }
#elif GORO_GROWABLE_STACKS
      if (self->stack_kind == StackKind::growable) {
        inspect_closure(self, gp->closure.object, request.size);
      }
#endif
    }
    if (fixed_bytes != 0) gp->stack = fixed;
    trace_goroutine(trace::Kind::created, gp, 1);
    runq_put(pp, gp, true);
    wakep();
  });
}

void on_system_stack(void (*fn)(void*), void* arg) {
  systemstack([&] { fn(arg); });
}

}  // namespace detail

void yield() {
  G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system)
    throw Panic("yield outside of goro::run");
  mcall(yield_m);
}

[[noreturn]] void exit_goroutine() {
  if (getg() == nullptr || on_g0()) throw Panic("exit_goroutine outside of goro::run");
  throw ExitGoroutine{};
}

std::uint64_t goroutine_id() {
  const M* mp = getm();
  const G* gp = mp == nullptr ? nullptr : mp->curg.load(std::memory_order_relaxed);
  return gp == nullptr ? 0 : gp->goid;
}

}  // namespace goro
