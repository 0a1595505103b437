// Slot 13, netpoll: a goroutine waits for a descriptor, and no thread does.
//
//   read() ── recv: EAGAIN ── poll_wait ── netpoll_block: parks        (goroutine, its P goes on)
//                                               │ side.g = G*
//   epoll ── netpoll(delay): events ── netpoll_unblock ◄┘ ── a list of goroutines that can go on
//              ▲ an M that has nothing to run: at once, and then for as long as nothing happens
//              ▲ sysmon, when nobody has looked for 10 ms
//   deadline's timer, close ────────── netpoll_unblock ◄┘    … and they find out why
//
// A descriptor is made known to epoll once, edge-triggered, for both directions; nothing is
// registered or removed around a wait. An edge tells only that something has changed. So it must
// not be lost: if nobody waits, it is kept in the side's word until somebody wants to (kPollReady).
// And it may be out of date: whoever is woken tries again, and waits again if it was for nothing.
//
// A side's word:
//
//             netpoll (an edge)
//     none ─────────────────────────► ready
//      │ ▲                             │
//      │ └── netpoll_block: taken ◄────┘
//      ▼ netpoll_block
//     wait ── its unlock function, on g0 ──► G* ── netpoll_unblock ──► ready (an edge),
//      └───── netpoll_unblock ─────────────────┘                       none (deadline, close)
//
// Between `wait` and G* the goroutine is on its way off its stack. Whoever changes the word then
// wakes nobody: the unlock function sees that it is not `wait` any more, and the goroutine goes on
// at once.
//
// Who parks writes `wait` and then reads `info`. Who closes or lets a deadline pass writes `info`
// and then reads the word. All of it is sequentially consistent, so one of the two sees the other.
//
// PollDescs are never freed while a run lasts, only used again: an event that epoll reported a
// moment ago may still point to one. `fdseq` is a part of each event, and differs after each use;
// an event of a former use is passed over.
//
// Locks: PollDesc::lock before the locks of timers, and before sched.lock; on g0 only. The words
// are changed without it.
//
// Go: netpoll.go (pollDesc, netpollblock, netpollunblock, netpollready, poll_runtime_pollReset, …),
// netpoll_epoll.go (netpollinit, netpollopen, netpoll, netpollBreak).
#pragma once

#include <atomic>
#include <cstdint>

#include "contracts/model.h"

namespace goro {

enum class PollMode : std::uint8_t { read, write };

// Why a wait ended, or did not begin. Go: pollNoError, pollErrClosing, pollErrTimeout.
enum class PollError : std::uint8_t { none, closed, timeout };

// PollSide::g, if it is no goroutine. Go: pdNil, pdReady, pdWait.
inline constexpr std::uintptr_t kPollNone = 0;
inline constexpr std::uintptr_t kPollReady = 1;
inline constexpr std::uintptr_t kPollWait = 2;

// PollSide::deadline, when it has passed.
inline constexpr std::int64_t kDeadlinePassed = -1;

// PollDesc::info. Go: pollInfo.
inline constexpr std::uint32_t kPollClosing = 1;
inline constexpr std::uint32_t kPollReadTimeout = 2;
inline constexpr std::uint32_t kPollWriteTimeout = 4;

// One direction of a descriptor.
// [poll_side]
struct PollSide {
  atomic<std::uintptr_t> g{kPollNone};  // kPollNone, kPollReady, kPollWait, or who waits: a G*
  // Under PollDesc::lock:
  RuntimeTimer timer;         // of the deadline
  std::int64_t deadline = 0;  // nanotime(); 0: none; kDeadlinePassed
  std::uintptr_t seq = 0;     // of the timer: ++ by every change, so one on its way is out of date
};
// [/poll_side]

// What the runtime knows of a descriptor. Go: pollDesc.
struct alignas(kCacheLine) PollDesc {
  PollDesc* link = nullptr;  // next free one
  int fd = -1;
  bool in_use = false;
  RuntimeMutex lock;
  bool closing = false;            // under lock
  atomic<std::uint32_t> info{0};   // closing and the passed deadlines, for those without the lock
  atomic<std::uint32_t> fdseq{0};  // ++ by poll_open and poll_close
  PollSide sides[2];

  PollSide& side(PollMode mode) { return sides[static_cast<int>(mode)]; }
};

// Goroutines that are parked for a descriptor. 0: nobody need look at epoll.
//
// Who parks counts itself, in its unlock function, before it can be taken out. Whoever wakes it
// counts it down before that: the frame for netpoll's list, and this slot for all whom close or a
// deadline wakes. Who counts the last one down there, while somebody sleeps in poll_until
// (sched.lastpoll is 0), calls netpoll_break (services/poller.h): that M sleeps for nothing now,
// and would pass for one that can still wake somebody when the others are deadlocked.
//
// No point of a simulation: everybody who looks for work reads it. Go: netpollWaiters.
extern std::atomic<std::int32_t> netpoll_waiters;

// ---- poll_desc.cpp ----

// Prepares for trying: an edge that was seen before the try is forgotten. Closed (first), or the
// deadline has passed: says so, and forgets nothing. On a goroutine's stack. Go:
// poll_runtime_pollReset.
PollError poll_reset(PollDesc* pd, PollMode mode);

// Waits until there is reason to try again (none), or until pd is closed or the deadline has
// passed, also before it began. Woken without an edge, and neither of the two holds any more (the
// deadline was moved): waits on. On a goroutine's stack. Go: poll_runtime_pollWait.
PollError poll_wait(PollDesc* pd, PollMode mode);

// The deadline of one direction: nanotime(); 0: none. Nothing, if pd is closed. Else, under the
// lock: ++seq, deadline, info; and the side's timer is set, with that seq, or stopped. One that has
// passed needs no timer, becomes kDeadlinePassed, and wakes who waits at once. The timer's
// function, if `seq` is still the side's: kDeadlinePassed, info, and wakes who waits. Nobody is
// woken under the lock. On g0, with a P. Go: poll_runtime_pollSetDeadline, netpollDeadline.
void poll_set_deadline(PollDesc* pd, PollMode mode, std::int64_t when);

// Nobody waits for pd any more: who does is woken, and finds PollError::closed, as does who comes
// later. Under the lock: closing, info, ++seq and stop() for both timers. A second time: fatal
// "runtime: unblock on closing polldesc". Any thread, on a large stack. Go:
// poll_runtime_pollUnblock.
void poll_unblock(PollDesc* pd);

// Waits for an edge: takes one that is there (ready→none, true), or none→wait, and parks (reason
// io_wait), unless `info` says why not; its unlock function is wait→G*. At last the word is none
// again, whatever it was. True: there was an edge; false: woken by a deadline or by close, or did
// not park because of one. Neither ready nor none to begin with: fatal "runtime: double wait". On a
// goroutine's stack. Go: netpollblock, netpollblockcommit.
bool netpoll_block(PollDesc* pd, PollMode mode);

// Takes out who waits on a side: its word becomes ready (`edge`) or none; ready stays ready.
// Returns the goroutine, which is parked still and counted in netpoll_waiters; null: none waits, or
// it is on its way to wait and will see. Any thread. Go: netpollunblock.
G* netpoll_unblock(PollDesc* pd, PollMode mode, bool edge);

// ---- netpoll_epoll.cpp ----

// Makes the epoll instance, and the eventfd that netpoll_wake writes to (in epoll for reading,
// level-triggered; its event's data is 0). Both are closed on exec, the eventfd never blocks. Once
// a run, however many Ms call it at the same time; whoever sleeps in poll_until must come and sleep
// in epoll from now on (poller_has_epoll, services/poller.h). 0, or errno. On g0. Go: netpollinit,
// netpollGenericInit.
int netpoll_init();
// Is there one? Any thread.
bool netpoll_inited();
// Closes both; there is none any more. At the end of a run, when nobody else runs.
void netpoll_end();

// Makes pd known: for reading, writing and the other side's end (EPOLLRDHUP), edge-triggered, with
// pd's address and fdseq as its data. 0, or errno. On g0. Go: netpollopen.
int netpoll_open(int fd, PollDesc* pd);
// Takes it out again. Go: netpollclose.
void netpoll_close(int fd);

// Looks what has happened: at once (delay 0), within `delay` nanoseconds, or for ever (less than
// 0); it may return early, but not at once again and again (epoll_wait counts milliseconds: round
// up). Nothing, if there is no instance. At most 128 events. An event of a former use of a PollDesc
// is passed over. EPOLLIN, RDHUP, HUP and ERR are edges for reading; EPOLLOUT, HUP and ERR for
// writing. Who waited there is returned, parked still; *count is how many. netpoll_wake's eventfd
// is read only by a call that would wait: one that would not must not eat what is meant for a
// sleeper. On g0 or sysmon. Go: netpoll.
GQueue netpoll(std::int64_t delay, std::int32_t* count);

// Ends a netpoll that waits, the present one or the next. Any thread. Go: the end of netpollBreak.
void netpoll_wake();

// ---- the frame ----

// A PollDesc for fd, known to epoll. 0, or errno. On g0. Go: poll_runtime_pollOpen.
int poll_open(int fd, PollDesc** pd);
// Takes it back, after poll_unblock, when nobody waits any more. The caller closes the descriptor.
// On a large stack. Go: poll_runtime_pollClose.
void poll_close(PollDesc* pd);

}  // namespace goro
