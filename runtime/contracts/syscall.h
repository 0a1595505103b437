// Slot 08, syscall-handoff: a goroutine blocks in the kernel, and its P does not.
//
//   running ── entersyscall ──► syscall ── exitsyscall ──► running, on the same P (fast),
//                                  │                       or on another (slow);
//             sysmon: retake       │                       or runnable, in the GRQ (no P)
//                  └── takes the P ┘── handoffp ──► another M, or the idle list
//
// Entering costs almost nothing: the P stays wired to the M, and only the goroutine's status says
// "syscall". A call that is short comes back to its P without a lock. Somebody who wants the P
// (sysmon, because the call takes long; a stop of the world; another goroutine that comes back from
// a call and had this P before) sets the scan bit in that status: then the goroutine cannot leave
// the status, and the P can be taken in peace. This is the design of Go 1.26; up to 1.25 the P had
// a status of its own for it.
//
// Lock order: a scan bit is held for a few instructions, and no lock is taken meanwhile.
//
// Go: proc.go (reentersyscall, exitsyscall, exitsyscallTryGetP, exitsyscallNoP,
// setBlockOnExitSyscall, handoffp, sysmon, retake).
#pragma once

#include "contracts/model.h"

namespace goro {

// ---- syscall.cpp ----

// Go: forcePreemptNS. A time slice, and the longest a P stays with a system call, in nanoseconds.
inline constexpr std::int64_t kForcePreempt = 10'000'000;

// The goroutine of this M (curg) is about to block in the kernel. Remembers the P (oldp), wakes
// sysmon if it sleeps (sysmonwait; under sched.lock), and moves running→syscall. From then on the P
// can be lost at any time, and nothing of the scheduler's may be touched: run() may return. On g0,
// with a P. (Go runs it on the goroutine's stack, which must not grow then; our calls run on g0
// anyway, where there is room.) Go: entersyscall, reentersyscall.
void entersyscall();

// The call is over. syscall→running, which waits for whoever holds the scan bit. Then
//   fast: this M has its P still: syscalltick + 1, true;
//   slow: leave_if_orphaned() (services/threads.h), then a P from exitsyscall_try_get_p(oldp):
//         acquirep, syscalltick + 1, true;
//   none: false. The caller continues with mcall(exitsyscall_no_p).
// On g0. Go: exitsyscall.
bool exitsyscall();

// A P for an M that comes back: oldp if it is in a system call of some other M now (taken away from
// there: that M has lost it before it knows), else an idle one (under sched.lock; sysmon is woken
// if it sleeps, because a P begins to run). Null: none. On g0, without a P. Go: exitsyscallTryGetP.
P* exitsyscall_try_get_p(P* oldp);

// An mcall function. running→runnable, dropg; then under sched.lock: an idle P after all: acquirep
// and execute; none: gp to the GRQ, and this M sleeps: stopm, schedule. Or, when gp is locked to it
// (looked at before gp is given away): stoplockedm, execute(gp). Go: exitsyscallNoP.
[[noreturn]] void exitsyscall_no_p(G* gp);

// A goroutine that cannot leave its system call, because we hold its scan bit. Go:
// syscallingThread.
// [syscalling_thread]
struct SyscallingThread {
  G* gp = nullptr;
  M* mp = nullptr;
  P* pp = nullptr;

  // Takes pp away from mp; it is idle, nobody's and on no list. syscalltick + 1: whoever waits for
  // the end of this call sees that it is over for pp. Go: takeP.
  void take_p() const;
  // The same with status gcstop, for a stop of the world. Go: gcstopP.
  void gcstop_p() const;
  // Clears the scan bit. Go: resume.
  void resume() const;
};
// [/syscalling_thread]

// Is pp with an M whose goroutine is in a system call? Then sets the scan bit of that goroutine,
// fills *thread and returns true; the caller calls thread->resume(). Everything read before the bit
// is set may be wrong a moment later, so M, G and P are compared again afterwards. Any thread. Go:
// setBlockOnExitSyscall.
bool set_block_on_exit_syscall(P* pp, SyscallingThread* thread);

// Takes every P that is in a system call for a stop of the world: gcstop, stopwait − 1. Under
// sched.lock, gcwaiting is set. True when stopwait is 0 now (then the caller needs nobody to wake
// it). Go: a part of stopTheWorldWithSema.
bool gcstop_syscall_ps();

// ---- handoff.cpp ----

// Finds something to do for pp, which has just lost its M. In this order:
//   1. It has goroutines, or the GRQ has: startm(pp, false).
//   2. Nobody spins and no P is idle: nmspinning 0→1, needspinning answered, startm(pp, true):
//      there may be work elsewhere that nobody looks for.
//   3. Under sched.lock: gcwaiting: gcstop, stopwait − 1, wake the stopper when that is 0; the GRQ
//      has something after all: startm(pp, false); likewise when all other Ps are idle and
//      network_needs_poller() (services/poller.h); else pidleput.
//   4. Counted idle: looks at the queues of the others once more, as everybody who gives up a P
//      does (see wakep), and if there is something: wakep(). If pp has timers (wake_time(), not 0):
//      wake_net_poller of that (services/poller.h), because its own M will not look at them.
// On any g0, with no lock held; pp is idle and nobody's. Go: handoffp, without step 4.
void handoffp(P* pp);

// ---- sysmon.cpp ----

// How sysmon sleeps, in microseconds.
// [pauses]
inline constexpr std::uint32_t kSysmonFirstDelay = 20;
inline constexpr std::uint32_t kSysmonLongestDelay = 10'000;
inline constexpr int kSysmonQuietRounds = 50;
// [/pauses]
// And when everything is idle, in nanoseconds. Go: forcegcperiod / 2.
inline constexpr std::int64_t kSysmonDeepSleep = 60'000'000'000;

// The next pause: 20 µs after a round that did something (idle = 0 rounds in a row without); from
// the 51st idle round on twice the last; never more than 10 ms.
std::uint32_t sysmon_delay(int idle, std::uint32_t last);

// Runs on a thread of its own, without a P, until sched.stopping. Counts itself in nmsys. Each
// round: sysmon_pause(sysmon_delay) (services/threads.h); when all Ps are idle or the world is
// stopped, and no schedtrace is due ever (schedtrace_interval() is 0, services/observe.h): looks
// again under sched.lock, sets sysmonwait, and sleeps on sysmonnote for at most kSysmonDeepSleep,
// and no longer than until earliest_timer() (contracts/timers.h; not at all if that is due: then a
// P is about to run); woken, and not by time: the pauses begin at 20 µs again. Then, with now =
// nanotime(), poll_network_if_overdue(now) (services/poller.h), retake(now), which says whether the
// round did something, and schedtrace_if_due(now). Go: sysmon.
void sysmon();

// For each P that runs:
//   - Its schedtick has not changed for kForcePreempt, and its M has had the processor for at least
//     half of that (m_cpu_time: a machine that is busy elsewhere must not cut slices short):
//     preempt_one.
//   - It is in a system call. Taken when the same call was seen in a round before (one tick at
//     least), or when schedtick has not changed for kForcePreempt; but left alone as long as it has
//     nothing to run, others spin or are idle, and the call is not older than kForcePreempt.
//     incidlelocked(-1) comes before set_block_on_exit_syscall and (+1) after handoffp: the thread
//     can come back, find no P, and sleep while we hold it, and must not call that a deadlock.
// Returns how many Ps it took. By sysmon. Go: retake.
int retake(std::int64_t now);

}  // namespace goro
