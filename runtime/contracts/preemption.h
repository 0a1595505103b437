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
// [saved_state]
struct alignas(64) SavedState {
  std::byte registers[GORO_SAVED_NEXT];
  SavedState* next;      // free, or spare: in a list
  SavedState* all_next;  // of all that exist
};
// [/saved_state]
static_assert(offsetof(SavedState, next) == GORO_SAVED_NEXT);
#if defined(__aarch64__)
// Where the copy of the ucontext_t goes in registers[]; a siginfo_t would be before it.
inline constexpr std::size_t kSavedContext = GORO_SAVED_CONTEXT;
#endif

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

// Step 1. Sends mp's thread the signal (tgkill(getpid(), mp->tid, SIGURG)), if
//   - signals are in use (not async_preempt_is_off());
//   - the goroutine that mp runs (curg, if any) is in the status running. Not if it is in a system
//     call: that would be interrupted, and its P can be taken anyway;
//   - the thread is there (M::tid is not 0);
//   - no signal is on its way to it: M::signal_pending goes up here and down in do_sig_preempt.
//     Seq_cst on both sides: either the handler sees the caller's request, or we see that it has
//     begun, and send another signal.
// If the signal cannot be sent, none is on its way. Under sched.lock, so that the thread does not
// end meanwhile. Go: preemptM.
void preempt_m(M* mp);

// Step 2. Has gp, which runs on this thread, been asked to give way (G::preempt), and is its status
// running? In the handler. Go: wantAsyncPreempt.
bool want_async_preempt(const G* gp);

// Step 2. May gp be stopped where it was interrupted? Only if
//   - gp is its M's curg, and the M has a P, no lock of the runtime's (M::locks), and a SavedState
//     to spare;
//   - sp is in gp's stack, with at least kAsyncPreemptRoom bytes below it;
//   - pc is in a function of the program's own: text_at(pc) == Text::program;
//   - no caller is Text::other. A walk over the frame records, each {the caller's record, return
//     address}, from `at.fp` up to the goroutine's first function, whose record holds 0, or over
//     kMostFrames of them. The function called is that of the byte before the return address: a
//     call of a function that never returns may be the last instruction of its caller. The walk has
//     lost its way, and the answer is no, when a record is not a multiple of 8, is not all inside
//     gp's stack, or is not above the one before. (On a chained stack it goes on over a seam:
//     over_the_seam, is_seam in contracts/chained_stack.h.)
// In the handler: nothing is allocated, no lock is taken. Go: isAsyncSafePoint.
bool is_async_safe_point(const G* gp, const Interrupted& at);
inline constexpr int kMostFrames = 64;

// Step 3. Changes at.ucontext so that the thread goes on in goro_async_preempt, with what that
// expects (below), when the handler returns. `at` is a safe point and its registers fit. Go:
// sigctxt.pushCall.
//   x86-64: rsp is GORO_RED_ZONE + 8 bytes lower, and the word there is the interrupted pc.
//   ARM64: the M's first spare state, taken out of the list, holds a copy of the ucontext_t at
//     registers + kSavedContext, and x19 is its address. sp and x29 are the address of 16 bytes
//     below the interrupted sp, a multiple of 16: a frame record of the interrupted x29 and pc.
void push_call(M* mp, const Interrupted& at);

// Step 3. What the handler does, on mp's thread, whose current goroutine (getg()) is gp:
//   1. Takes the flag (M::signal_pending) down. It was not up: somebody else's signal; false.
//   2. gp is no g0 (StackKind::system), and was asked: is it at a safe point, and do its registers
//      fit (registers_fit)? Then push_call. If not, repeat_preemption
//      (contracts/services/acquirem.h) leaves the request to the next prologue.
// True. In this order: a request that comes after the flag is down brings a signal of its own.
// Go: doSigPreempt.
bool do_sig_preempt(M* mp, G* gp, const Interrupted& at);

// Step 4. On g0, gp is stopped with all its registers saved: gives this M a new spare state
// (saved_state_take) if it has none, takes the request back, and gopreempt_m(gp)
// (contracts/services/scheduling.h). Go: asyncPreempt2.
[[noreturn]] void async_preempt2(G* gp);

}  // namespace goro

extern "C" {
// Step 4. Assembly. Entered by the return of the signal's handler: on the goroutine's stack, with
// every register but those that push_call changed as the interrupted function left it.
//   x86-64: at rsp the interrupted pc, and above that the function's red zone. Pushes rbp (the two
//     words are a frame record), the flags and the other registers, and clears the direction flag.
//     Takes the M's first spare state out of the list, and saves with xsave64 what goro_xsave_mask
//     names. The x87 stack must be empty for others (fninit), and vector registers' upper halves
//     are slow to keep in use (vzeroupper, if the mask has bit 2). Then
//     goro_mcall(goro_async_preempt2) with the stack aligned. Back from there, perhaps on another
//     thread: xrstor64; GIVE_BACK the state; pops everything; returns to the pc, and takes the red
//     zone off the stack.
//   ARM64: no code can load x0 … x30 and then jump, because the jump needs a register. So the
//   kernel
//     does it: rt_sigreturn with the frame in the state. goro_mcall(goro_async_preempt2), which
//     keeps x19. Back from there: the frame must name the signal stack of the thread that goes on
//     (M::altstack_sp, altstack_size); the state becomes M::resumed_state, and the one that was
//     there before is given back, since the kernel is done with it (GIVE_BACK). sp is the state's
//     address, x8 the number 139, and `svc #0` does not return.
// At the entry and at the exit no signal stops the goroutine: this is not the program's text.
void goro_async_preempt();

// The frame's: counts, and calls async_preempt2(gp).
void goro_async_preempt2(goro::G* gp);
}
