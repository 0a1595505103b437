// Slot 01, context-switch: stop one flow of control and go on with another.
//
// A parked goroutine is a stack pointer. Whoever stops it has pushed onto its stack everything that
// the C++ calling convention lets a function assume to be unchanged by a call; whoever continues it
// pops the same in the same order. Everything else was saved by the compiler already, because to
// the compiler goro_mcall is just a function that was called.
//
// What is saved, lowest address first. Dumps and the debugger read this layout, and it ends so that
// the saved frame pointer and the return address form an ordinary frame record.
//
//   x86-64 (64 bytes):  mxcsr (4) | x87 word (2) | 2 unused | r15 r14 r13 r12 rbx rbp | return
//
//   ARM64 (176 bytes):  fpcr (8) | 8 unused | d8 … d15 | x19 … x28 | x29 (fp) | x30 (lr)
//
// The floating-point control words (rounding mode, masks) are kept across a call like a register,
// so a goroutine keeps its own. The sticky flags in the same registers are kept for nobody: a
// switch neither clears those that are up nor brings back those in a frame. Three rules:
//
//   1. g0 always runs with the standard words: x86-64 mxcsr 0x1f80 (control bits 0xffc0) and x87
//      0x37f, ARM64 fpcr 0. They are a new goroutine's as well. goro_mcall and goro_mstart come
//      from where others may be in force: they leave those in the frame and load the standard ones
//      if they differ. What runs on g0 keeps them, as every C++ function does.
//   2. goro_gogo puts the frame's words in force. What is in force before is known by rule 1, so a
//      comparison of the frame with constants is enough; the processor need not be asked.
//   3. Writing such a register stalls the processor. It is written only when its control bits must
//      change, which in most programs is never.
//
// goro_systemstack is a call: its function runs with the caller's words, and keeps them.
//
// Go: asm_amd64.s, asm_arm64.s (gogo, mcall, systemstack), gostartcall in sys_x86.go.
// Go saves no callee-saved registers, because its own calling convention has none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/model.h"

namespace goro {

// Bytes from a saved stack pointer to the frame record, and to the caller's frame above it.
#if defined(__x86_64__)
inline constexpr std::size_t kSwitchFrameRecord = 48;
inline constexpr std::size_t kSwitchFrameSize = 64;
#else
inline constexpr std::size_t kSwitchFrameRecord = 160;
inline constexpr std::size_t kSwitchFrameSize = 176;
#endif

}  // namespace goro

extern "C" {

// Continues `buf->g` where it was saved, and never returns. `buf` is that G's own `sched`, always:
// the G's address is buf's minus GORO_G_SCHED_SP, and also in buf->g.
// Makes the G the current goroutine (SETG), makes its stackguard0 the limit that prologues compare
// with (SETGUARD, x86-64), switches to buf->sp, restores the saved registers and control words and
// returns to the saved return address by an indirect jump: the processor's return predictor has
// never seen this return. Called on g0, with the standard control words in force.
[[noreturn]] void goro_gogo(goro::Gobuf* buf);

// Stops the running goroutine and calls fn(g) on its M's g0.
// Saves the registers on the goroutine's stack and the stack pointer in g->sched.sp (g->sched.g is
// set already), makes g0 the current goroutine with no limit (guard 0), puts the standard control
// words in force, and calls fn from g0->sched.sp downwards. fn never returns: it ends in schedule()
// or in goro_gogo. A later goro_gogo(&g->sched) returns from this call, possibly on another thread.
// Called on a goroutine's stack, never on g0.
void goro_mcall(void (*fn)(goro::G* g));

// Calls fn(arg) on the M's g0 and returns when it does. The goroutine stays current in M::curg, but
// getg() is g0 while fn runs. On g0 already, or on a thread that is not the runtime's (getg() is
// null), it is an ordinary call. fn must not park and must not throw. A stack that starts here can
// be walked through into the caller's by the unwinder and the debugger (the CFA is kept in the
// frame pointer). On return the limit is read again from g->stackguard0: somebody may have asked g
// to give way.
void goro_systemstack(void (*fn)(void* arg), void* arg);

// Starts the scheduler on this thread: saves the registers on the present stack and the stack
// pointer in g0->sched.sp, makes g0 the current goroutine (the limit of a thread that runs no
// goroutine is 0 already), puts the standard control words in force, and calls fn(), which never
// returns. Everything below the saved stack pointer is the g0
// stack from now on. A later goro_gogo(&g0->sched), on this thread only, returns from goro_mstart
// with the caller's own control words; then getg() is g0 still.
void goro_mstart(goro::G* g0, void (*fn)());

// Where a new goroutine's first goro_gogo goes to; assembly, called by nobody. It calls the
// function that gostartcall left for it with the stack pointer aligned as the ABI asks (16 bytes at
// the call), and its unwind information says that there is no caller, so that backtraces and
// exceptions end here. The function does not return; if it does, the process is stopped by an
// illegal instruction.
void goro_gostart();
}

namespace goro {

// Prepares `buf` so that the first goro_gogo(buf) calls fn() on the stack that ends at `hi`
// (exclusive; 64-byte aligned). Lays out the same bytes as goro_mcall saves: the standard
// floating-point control words, frame pointer 0 (a walk over frame records ends here), return
// address goro_gostart, and fn in a register that goro_gostart knows. May be called anywhere;
// touches only the top kSwitchFrameSize + 16 bytes of the stack. Go: gostartcall, newproc1.
void gostartcall(Gobuf* buf, std::uintptr_t hi, void (*fn)());

// The C++ library keeps the exceptions a thread is handling in a per-thread record; to the program
// they are the goroutine's. save_ moves the record of this thread (mp->exception_globals) into gp
// and leaves an empty one behind; restore_ moves gp's record into mp's thread and leaves an empty
// one in gp. Called on g0: save_ when gp stops running on mp, restore_ before it runs again. A
// goroutine that is handling nothing (the usual case) must cost no more than a few loads and
// stores.
void save_exception_state(G* gp, M* mp);
void restore_exception_state(G* gp, M* mp);

}  // namespace goro
