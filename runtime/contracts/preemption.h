// Slot 14, preemption: a goroutine that calls nothing gives way as well.
//
// The check in a prologue stops whoever calls something. A loop without calls has no prologue. So
// whoever asks a goroutine to give way (contracts/services/threads.h) also sends its thread a
// signal, and the handler looks where the thread is:
//
//   asks (sysmon, stop the world)         the thread
//     gp->preempt, poisoned guard
//     preempt_m: tgkill(SIGURG) ────────► handler, on the signal stack
//                                           a safe point?  no: back; the guard is still poisoned
//                                           yes: changes where the thread goes on
//                                         goro_async_preempt, on the goroutine's stack, as if the
//                                           interrupted instruction had been a call of it
//                                           saves every register there is
//                                           mcall(goro_async_preempt2): to the GRQ
//                                         …  (another thread, later)
//                                           restores every register, goes on at that instruction
//
// A safe point is an instruction of the program's own C++ functions, on a goroutine's own stack,
// while no lock of the runtime's is held. Everything else is not: the runtime holds an M, a P or a
// lock there; the allocator and the C library hold locks of theirs, and keep data of this thread in
// registers; assembly has a stack that nobody else understands. The C++ library's templates are
// compiled into the program and count as the library (see contracts/services/program_text.h).
//
// Nothing moves the stack of a goroutine that was stopped like this: there may be half-computed
// addresses in its registers. It is runnable, never waiting, so nobody shrinks it; and between the
// signal and the switch it calls nothing that could grow it.
//
// What a program must know: thread-local variables are a thread's, and a goroutine can now change
// threads between any two instructions; and a goroutine can be stopped while it holds a std::mutex,
// as it can already at any call. Whoever waits for that mutex blocks a thread and its P (and with
// one P for ever): use goro::Mutex.
//
// Go: preempt.go, signal_unix.go (doSigPreempt, preemptM), preempt_amd64.s.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/model.h"
#include "contracts/preemption_offsets.h"

// Sanitizers keep signals back until a thread calls something, and simulated threads are not
// interrupted.
#if GORO_GROWABLE_STACKS && !defined(GORO_SIMULATE)
#define GORO_ASYNC_PREEMPT 1
#else
#define GORO_ASYNC_PREEMPT 0
#endif

namespace goro {

// Where an interrupted goroutine's state goes that is too large for a stack of 2 KB. x86-64: the
// vector and floating-point registers, as xsave lays them out; all others are on the stack. ARM64:
// everything, as the kernel's signal frame. Every M has a spare one, since a signal's handler
// cannot allocate. Freed when the run ends.
struct alignas(64) SavedState {
  std::byte registers[GORO_SAVED_NEXT];
  SavedState* next;      // free, or spare: in a list
  SavedState* all_next;  // of all that exist
};
static_assert(offsetof(SavedState, next) == GORO_SAVED_NEXT);

// Bytes that must be free below an interrupted goroutine's stack pointer: what the call of
// goro_async_preempt and its own pushes take, red zone included, and goro_mcall's frame. Less than
// kStackGuard, but for functions without a check deep inside the guard there may be less.
inline constexpr std::size_t kAsyncPreemptRoom = 448;

// What was interrupted, and by which signal frame. Filled in by the frame.
struct Interrupted {
  std::uintptr_t pc;
  std::uintptr_t sp;
  std::uintptr_t fp;  // the frame pointer: an interrupted function's or its caller's frame record
  void* ucontext;
};

// Sends mp's thread the signal if its goroutine is running, unless one is on its way
// (M::signal_pending; the handler clears it). Not to a thread in a system call: it would be
// interrupted, and its goroutine need not give way. Under sched.lock, so that the thread exists.
// Go: preemptM.
void preempt_m(M* mp);

// Has gp, which runs on this thread, been asked to give way? In the handler. Go: wantAsyncPreempt.
bool want_async_preempt(const G* gp);

// May gp be stopped where it was interrupted? Only if
//   - gp is its M's curg and running, and the M has a P and no runtime lock (M::locks) and a spare
//     SavedState;
//   - sp is in gp's stack with kAsyncPreemptRoom bytes below it;
//   - pc is in a function of the program's own (text_at(pc) == Text::program);
//   - so is every caller, or a template of the library's: a walk over the frame records, from `at`
//     up to the goroutine's first (whose saved frame pointer is 0) or kMostFrames of them, meets
//     neither the runtime nor a library, and does not lose its way.
// In the handler: nothing is allocated, no lock taken. Go: isAsyncSafePoint.
bool is_async_safe_point(const G* gp, const Interrupted& at);
inline constexpr int kMostFrames = 64;

// The handler's part that is not plumbing: stops gp if it was asked and may be (push_call), and
// leaves the request to the next prologue otherwise (repeat_preemption). Go: doSigPreempt.
void do_sig_preempt(G* gp, const Interrupted& at);

// How often a goroutine was stopped by a signal, in this process.
std::uint64_t async_preemptions();

}  // namespace goro

extern "C" {
// Assembly. Entered as described above: on the goroutine's stack, with every register as the
// interrupted function left it.
//   x86-64: at rsp the interrupted pc, and above that the function's red zone. Saves flags and
//     general registers on the stack and the rest in the M's first spare SavedState, which it takes
//     out of the list; mcall(goro_async_preempt2); restores everything; gives the SavedState to
//     goro_free_states; returns to the pc, taking the red zone off the stack.
//   ARM64: x19 is the SavedState with the signal frame; x29 a frame record with the interrupted
//     function's x29 and pc. mcall(goro_async_preempt2), then rt_sigreturn: no code can load x0 …
//     x30 and go to an address, because the jump itself needs a register. The frame in the
//     SavedState must name the signal stack of the thread that goes on. The SavedState becomes
//     M::resumed_state, and the one that was there before is given back: the kernel still reads
//     this one.
void goro_async_preempt();

// mcall function: gives its M a new spare SavedState if the list is empty, forgets the request, and
// gopreempt_m(gp). Go: asyncPreempt2.
void goro_async_preempt2(goro::G* gp);
}
