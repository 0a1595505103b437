// The recorder. Go: traceruntime.go, tracebuf.go, tracetime.go.
//
// Every M writes into a buffer of its own, 16 bytes a record, without a lock and without a line
// that others write to. A full buffer stays where it is; when the run ends, or the process, all go
// to the file. There are 1,024 of them (GORO_DEBUG=tracebuffers=N): when all are full, the one that
// was full first is used again. So memory is bounded, nothing is written while the program runs,
// and of a long run the end is kept, which is where a program that hangs or fails shows why. The
// reader is told how much was lost.
//
// Order. Within a buffer it is the M's own. Between Ms no clock is trusted: G::trace_seq counts
// what happens to a goroutine. It is a plain number, because only whoever owns the goroutine
// records: it itself while it runs, its M between two goroutines, whoever is about to ready it
// while it waits. They hand it over through the status or a queue's lock. A reader takes (G, n)
// after (G, n - 1), and after the stop that may come in between, whatever the clocks say. A stop
// needs no number: it is in the buffer of the M on which the goroutine started. G has no room for
// the count; it lives in the padding that the C++ library has behind its count of uncaught
// exceptions, in a line that each switch writes to anyway.
//
// Two goroutines that hand over to each other fill no buffer: a hand-over that happens again is
// counted in its record.
//
// Time. Reading the clock costs more than everything else that is done here. So when records follow
// each other closely, all but one in sixty-four do without. A stop then waits for the start that
// follows and shares its record (a switch), and that of a readying just before if both are of the
// same goroutine (a hand-over). A reader spreads them evenly. When one is slow to come, or sysmon
// has been round since, each has its time again. A time that was not taken is wrong by a few
// microseconds, or by sysmon's pause (kTracePause) if somebody who was in a hurry stops being so.
// GORO_DEBUG=traceexact=1 reads it every time.
#include "frame/trace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "contracts/getg.h"
#include "contracts/lock.h"
#include "contracts/services/clock.h"
#include "contracts/services/goroutine.h"
#include "contracts/sudog.h"
#include "frame/dump.h"
#include "frame/settings.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

alignas(kCacheLine) std::atomic<bool> trace_on{false};

namespace {

constexpr std::uint32_t kMostQuick = 63;
// A record can need two before it: the P, and the time.
constexpr std::uint32_t kMostAtOnce = 3;
constexpr std::int32_t kMostPs = 64;  // whose queues are sampled

TraceBuffer* buffers = nullptr;
std::uint32_t most_buffers = 0;
std::uint64_t close_together = 0;  // ticks
char path[sizeof(Settings::trace)];
bool path_is_begun = false;
bool exact = false;
bool with_queues = false;
pid_t owner = 0;

// Under `lock`. Taken under any other.
RuntimeMutex lock;
std::uint32_t used = 0;
std::uint32_t next_serial = 0;
std::uint64_t lost = 0;
TraceBuffer* oldest_full = nullptr;
TraceBuffer* newest_full = nullptr;

trace::RunHeader this_run;

// Plain atomics: no schedule of a simulation is to depend on them.
std::atomic<bool> run_is_open{false};
std::atomic<bool> frozen{false};
std::atomic<bool> written{false};

// By sysmon only.
std::uint32_t last_length[kMostPs];
std::uint32_t last_global = 0;

// What was recorded last of a P's queue. Whoever holds the P has it.
struct Queue {
  bool known = false;
  std::uint32_t head = 0;
  std::uint32_t tail = 0;
  std::uint64_t runnext = 0;
  std::uint32_t slice = 0;
};
Queue queues[kMostPs];
std::atomic<std::uint32_t> recorded_global{0};

std::uint64_t clock_ticks() {
#if GORO_SIMULATE
  if (sim::active) return static_cast<std::uint64_t>(sim::now());
#endif
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  std::uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#endif
}

// About half a microsecond.
std::uint64_t ticks_close_together() {
#if defined(__x86_64__)
  return 1500;  // at 1.5 to 4 GHz, as they are built
#else
  std::uint64_t frequency;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
  return frequency / 2'000'000;
#endif
}

void append(M* mp, std::uint64_t what, std::uint64_t when) {
  trace::Record* at = mp->trace.next.load(std::memory_order_relaxed);
  at->what = what;
  at->when = when;
  mp->trace.back = kTraceNone;
  mp->trace.next.store(at + 1, std::memory_order_release);
}

// Its M may be about to give it up.
std::size_t size_of(const TraceBuffer& b) {
  const M* mp = b.owner.load(std::memory_order_acquire);
  const trace::Record* end = mp != nullptr ? mp->trace.next.load(std::memory_order_acquire) : b.end;
  return end != nullptr ? static_cast<std::size_t>(end - b.records) : 0;
}

std::size_t room_of(const M* mp) {
  return TraceBuffer::kRecords -
         static_cast<std::size_t>(mp->trace.next.load(std::memory_order_relaxed) -
                                  mp->trace.buffer->records);
}

// Ticks since the buffer's last reading. Whoever calls it has looked for room and P.
std::uint32_t read_clock(M* mp) {
  TraceBuffer* b = mp->trace.buffer;
  const std::uint64_t now = clock_ticks();
  const std::uint64_t since = now - b->ticks;
  const bool close = since < close_together * (b->window + 1);
  b->window = close && !exact ? std::min(b->window * 2 + 1, kMostQuick) : 0;
  b->ticks = now;
  if (since <= ~std::uint32_t{0}) return static_cast<std::uint32_t>(since);
  append(mp, trace_what(trace::Kind::time, 0, 0), now);
  return 0;
}

// Nothing will be added to it. Under lock.
void retire(TraceBuffer* full) {
  full->next_full = nullptr;
  if (newest_full != nullptr) {
    newest_full->next_full = full;
  } else {
    oldest_full = full;
  }
  newest_full = full;
}

// mp has no buffer any more. Under lock.
void give_up_buffer(M* mp) {
  TraceBuffer* b = mp->trace.buffer;
  if (b == nullptr) return;
  b->end = mp->trace.next.load(std::memory_order_relaxed);
  b->owner.store(nullptr, std::memory_order_release);
  mp->trace.buffer = nullptr;
  mp->trace.next.store(nullptr, std::memory_order_relaxed);
  retire(b);
}

void refill(M* mp) {
  TraceBuffer* b = nullptr;
  lock.lock();
  give_up_buffer(mp);
  if (frozen.load(std::memory_order_relaxed)) {
    // Somebody is writing them all.
  } else if (used < most_buffers) {
    b = &buffers[used++];
  } else if (oldest_full != nullptr) {
    b = oldest_full;
    oldest_full = b->next_full;
    if (oldest_full == nullptr) newest_full = nullptr;
    lost += size_of(*b);
  }
  if (b != nullptr) {
    mp->trace.buffer = b;
    mp->trace.next.store(b->records, std::memory_order_relaxed);
    mp->trace.quick_end.store(nullptr, std::memory_order_relaxed);
    mp->trace.stop = 0;
    b->serial = next_serial++;
    b->m = mp->id;
    b->p = nullptr;
    b->window = 0;
    b->owner.store(mp, std::memory_order_release);
  }
  lock.unlock();
  if (b == nullptr) return;
  b->ticks = clock_ticks();
  append(mp, trace_what(trace::Kind::time, 0, 0), b->ticks);
}

[[gnu::noinline]] void refill_on_g0(M* mp) {
  if (on_g0()) return refill(mp);
  systemstack([mp] { refill(mp); });
}

// A goroutine that is in this queue, and was a moment ago. Nobody reads its id while it is taken
// out, ends and begins again as another: the caller looks afterwards whether it is there still.
#if defined(__SANITIZE_THREAD__)
[[gnu::no_sanitize("thread")]]
#endif
[[gnu::noinline]] std::uint64_t
id_of(const G* gp) {
  return gp != nullptr ? gp->goid : 0;
}

// Makes room for what record_queue puts there at once, and for an event. False: nothing is
// recorded.
bool make_room(M* mp) {
  constexpr std::size_t kMost = 5;
  if (room_of(mp) < kMost + kMostAtOnce) refill(mp);
  return mp->trace.buffer != nullptr;
}

// gp is about to be readied, and the caller's. 1: a channel's other side has served it, 2: the
// channel was closed.
std::uint8_t how_served(const G* gp) {
  switch (gp->waitreason) {
    case WaitReason::chan_receive:
    case WaitReason::chan_send:
    case WaitReason::select:
      if (gp->param == nullptr) return 0;
      return static_cast<const Sudog*>(gp->param)->success ? 1 : 2;
    default:
      return 0;
  }
}

// What has changed in the queue of this M's P. On g0.
void record_queue(M* mp, const P* pp) {
  if (pp->id >= kMostPs) return;
  Queue& last = queues[pp->id];
  const std::uint32_t tail = pp->runqtail.load(std::memory_order_relaxed);
  std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
  const auto before = [](std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) < 0;
  };
  for (std::uint32_t at = last.known && before(head, last.tail) ? last.tail : head; at != tail;
       ++at) {
    const std::uint64_t id = id_of(pp->runq[at % kRunqSize].load(std::memory_order_relaxed));
    head = pp->runqhead.load(std::memory_order_acquire);
    if (before(at, head)) continue;  // a thief was quicker
    if (!make_room(mp)) return;
    append(mp, trace_what(trace::Kind::lrq_has, 0, id), std::uint64_t{at} << 32);
  }
  if (!make_room(mp)) return;
  if (!last.known || head != last.head || tail != last.tail) {
    append(mp, trace_what(trace::Kind::lrq_ends, 0, tail), std::uint64_t{head} << 32);
  }
  const std::uint64_t next = id_of(pp->runnext.load(std::memory_order_relaxed));
  if (!last.known || next != last.runnext) {
    append(mp, trace_what(trace::Kind::runnext, 0, next), 0);
  }
  if (!last.known || pp->schedtick != last.slice) {
    append(mp, trace_what(trace::Kind::slice, 0, 0), std::uint64_t{pp->schedtick} << 32);
  }
  last = {true, head, tail, next, pp->schedtick};
  const auto global = static_cast<std::uint32_t>(sched.runqsize.load(std::memory_order_relaxed));
  if (recorded_global.exchange(global, std::memory_order_relaxed) != global) {
    append(mp, trace_what(trace::Kind::grq_length, 0, 0), std::uint64_t{global} << 32);
  }
}

[[gnu::noinline]] void record_queue_on_g0(M* mp) {
  if (on_g0()) return record_queue(mp, mp->p);
  systemstack([mp] { record_queue(mp, mp->p); });
}

// Makes room for this M's next record and what it needs before it, and tells which P it has. False:
// nothing is recorded.
bool prepare(M* mp) {
  if (mp == nullptr || mp->trace.buffer == nullptr) return false;
  if (mp->trace.buffer->owner.load(std::memory_order_relaxed) != mp) return false;  // another run
  mp->trace.quick_end.store(nullptr, std::memory_order_relaxed);
  if (const std::uint64_t stop = mp->trace.stop; stop != 0) {
    // There was room for it.
    append(mp, stop, 0);
    mp->trace.stop = 0;
  }
  if (room_of(mp) < kMostAtOnce) refill_on_g0(mp);
  TraceBuffer* b = mp->trace.buffer;
  if (b == nullptr) return false;
  if (const P* pp = mp->p; pp != b->p) {
    b->p = pp;
    if (pp != nullptr) {
      append(mp, trace_what(trace::Kind::p_taken, 0, static_cast<std::uint64_t>(pp->id)), 0);
      if (pp->id < kMostPs) queues[pp->id].known = false;
    }
  }
  if (with_queues && mp->p != nullptr) record_queue_on_g0(mp);
  return mp->trace.buffer != nullptr;
}

// The next ones may be quick.
void permit_quick(M* mp) {
  mp->trace.quick_end.store(mp->trace.next.load(std::memory_order_relaxed) +
                                std::min<std::size_t>(mp->trace.buffer->window, room_of(mp)),
                            std::memory_order_relaxed);
}

// Not through libc: ThreadSanitizer would look whether those who still run are done with what is
// written.
void write_all(int fd, const void* from, std::size_t size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    const long n = syscall(SYS_write, fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

void write_file_header(int fd) {
  constexpr std::uint32_t kReasons = static_cast<std::uint32_t>(WaitReason::panicwait) + 1;
  trace::FileHeader header{};
  std::memcpy(header.magic, trace::kMagic, sizeof(header.magic));
  header.pid = static_cast<std::uint32_t>(owner);
  header.reasons = kReasons;
  write_all(fd, &header, sizeof(header));
  for (std::uint32_t i = 0; i < kReasons; ++i) {
    char word[trace::kWordSize] = {};
    std::strncpy(word, wait_reason_string(static_cast<WaitReason>(i)), sizeof(word) - 1);
    write_all(fd, word, sizeof(word));
  }
}

void write_run(bool cut_off) {
  const int how = path_is_begun ? O_APPEND : O_TRUNC;
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
  if (fd < 0) {
    if (!path_is_begun) {
      TextSink out(STDERR_FILENO);
      out.put("runtime: the trace cannot be written to ").put(path).put("; errno=");
      out.number(static_cast<std::uint64_t>(errno)).put("\n");
    }
    return;
  }
  if (!path_is_begun) write_file_header(fd);
  path_is_begun = true;
  this_run.last_ticks = clock_ticks();
  this_run.last_ns = nanotime();
  this_run.lost = lost;
  this_run.buffers = used;
  this_run.cut_off = cut_off ? 1 : 0;
  write_all(fd, &this_run, sizeof(this_run));
  for (std::uint32_t i = 0; i < this_run.buffers; ++i) {
    const TraceBuffer& b = buffers[i];
    // More than there can be: its first owner is only just being given it.
    const std::size_t size = size_of(b);
    const auto count = static_cast<std::uint32_t>(size <= TraceBuffer::kRecords ? size : 0);
    const trace::BufferHeader header{b.m, b.serial, count};
    write_all(fd, &header, sizeof(header));
    write_all(fd, b.records, count * sizeof(trace::Record));
  }
  close(fd);
}

// Bounded, because it may be this very thread that is in the middle of writing, below the signal's
// handler.
void wait_until_written() {
  for (int i = 0; i < 100'000 && !written.load(std::memory_order_acquire); ++i) sched_yield();
}

constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP};

void on_ending_signal(int signal) {
  trace_process_ends();
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  sigaction(signal, &usual, nullptr);
  raise(signal);
}

// Whoever is interrupted wants to see the trace all the more. A program's own handler stays.
void change_ending_signals(void (*from)(int), void (*to)(int)) {
  for (const int signal : kEndingSignals) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != from) continue;
    now.sa_handler = to;
    now.sa_flags = SA_ONSTACK | SA_RESTART;  // a goroutine's stack has no room for it
    sigaction(signal, &now, nullptr);
  }
}

}  // namespace

void trace_run_begins(std::int32_t procs) {
  if (settings().trace[0] == '\0') return;
  owner = getpid();
  if (buffers == nullptr) {
    most_buffers = static_cast<std::uint32_t>(settings().tracebuffers);
    // What is never touched takes no memory.
    void* at = mmap(nullptr, most_buffers * sizeof(TraceBuffer), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return;
    // Where the kernel has large pages, the buffers cost few faults and few entries of the TLB.
    madvise(at, most_buffers * sizeof(TraceBuffer), MADV_HUGEPAGE);
    buffers = static_cast<TraceBuffer*>(at);
    std::atexit(trace_process_ends);
  }
  if (std::strcmp(path, settings().trace) != 0) {
    std::memcpy(path, settings().trace, sizeof(path));
    path_is_begun = false;
  }
  with_queues = settings().tracequeues;
#if GORO_SIMULATE
  if (sim::active) with_queues = false;  // every look at a queue would be a point of the schedule
#endif
  exact = settings().traceexact || with_queues;
  close_together = ticks_close_together();
  for (std::uint32_t i = 0; i < used; ++i) buffers[i].owner = nullptr;
  used = next_serial = 0;
  lost = 0;
  oldest_full = newest_full = nullptr;
  std::fill_n(last_length, kMostPs, 0);
  last_global = 0;
  for (Queue& queue : queues) queue = Queue{};
  recorded_global.store(0, std::memory_order_relaxed);
  this_run = trace::RunHeader{};
  this_run.magic = trace::kRunMagic;
  this_run.procs = static_cast<std::uint32_t>(procs);
  this_run.first_ticks = clock_ticks();
  this_run.first_ns = nanotime();
  change_ending_signals(SIG_DFL, on_ending_signal);
  run_is_open.store(true, std::memory_order_release);
  trace_on.store(true, std::memory_order_relaxed);
}

void trace_run_ends() {
  if (!trace_is_on()) return;
  trace_on.store(false, std::memory_order_relaxed);
  // Whoever ends the process meanwhile reads what belongs to the Ms, who are about to be deleted.
  if (!run_is_open.exchange(false, std::memory_order_acq_rel)) return wait_until_written();
  change_ending_signals(on_ending_signal, SIG_DFL);
  write_run(false);
}

void trace_process_ends() {
  // A forked child has its parent's memory, and its parent's file.
  if (frozen.load(std::memory_order_relaxed) || !run_is_open.load(std::memory_order_acquire) ||
      getpid() != owner) {
    return;
  }
  if (!frozen.exchange(true, std::memory_order_acq_rel)) {
    if (run_is_open.exchange(false, std::memory_order_acq_rel)) write_run(true);
    written.store(true, std::memory_order_release);
    return;
  }
  // Whoever returns from here ends the process.
  wait_until_written();
}

void trace_thread_begins(M* mp) {
  if (!trace_is_on()) return;
  refill(mp);
  if (mp->trace.buffer == nullptr) return;
  append(mp, trace_what(trace::Kind::m_begins, mp->is_sysmon ? 1 : 0, 0), 0);
}

void trace_thread_ends(M* mp) {
  if (!prepare(mp)) return;
  const std::uint32_t ticks = read_clock(mp);
  append(mp, trace_what(trace::Kind::m_ends, 0, 0), ticks);
  lock.lock();
  give_up_buffer(mp);
  lock.unlock();
}

void trace_sample() {
  M* mp = getm();
  const std::int32_t procs = std::min(kMostPs, sched.gomaxprocs.load(std::memory_order_acquire));
  for (std::int32_t i = 0; i < procs; ++i) {
    const P* pp = allp[static_cast<std::size_t>(i)];
    // Its next record has a time. That it is just setting quick_end itself does no harm: the next
    // round finds it again.
    if (M* busy = pp->m; busy != nullptr) {
      busy->trace.quick_end.store(nullptr, std::memory_order_relaxed);
    }
    const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
    std::uint32_t length = pp->runqtail.load(std::memory_order_acquire) - head;
    if (pp->runnext.load(std::memory_order_relaxed) != nullptr) ++length;
    if (length == last_length[i]) continue;
    if (!prepare(mp)) return;
    last_length[i] = length;
    const std::uint64_t ticks = read_clock(mp);
    append(mp, trace_what(trace::Kind::p_length, 0, static_cast<std::uint64_t>(i)),
           ticks | std::uint64_t{length} << 32);
  }
  const auto global = static_cast<std::uint32_t>(sched.runqsize.load(std::memory_order_relaxed));
  if (global == last_global || !prepare(mp)) return;
  last_global = global;
  const std::uint64_t ticks = read_clock(mp);
  append(mp, trace_what(trace::Kind::grq_length, 0, 0), ticks | std::uint64_t{global} << 32);
}

void trace_record(std::uint64_t what, G* gp) {
  M* mp = getm();
  if (!prepare(mp)) return;
  if (with_queues && (what & 0xff) == static_cast<std::uint64_t>(trace::Kind::readied)) {
    what |= std::uint64_t{how_served(gp)} << 8;
  }
  const std::uint64_t ticks = read_clock(mp);
  append(mp, what, ticks | std::uint64_t{++gp->trace_seq} << 32);
  permit_quick(mp);
}

void trace_record_stop(std::uint64_t what) {
  M* mp = getm();
  if (!prepare(mp)) return;
  const std::uint32_t ticks = read_clock(mp);
  append(mp, what, ticks);
  permit_quick(mp);
}

// A hand-over is repeated if the one two before was the same: it is the first of two in turns. Then
// so may be the one between them. A record takes turns with one other, not with two: the one before
// the first must not be repeated itself. And the numbers must leave no room for anything else.
void trace_other_hand_over(TraceCursor& cursor, trace::Record* at, std::uint64_t what,
                           std::uint64_t number) {
  const auto same = [&](const trace::Record& earlier) {
    return earlier.what == what &&
           earlier.when + (std::uint64_t{trace::kNumbersOfHandOver} << 32) == number;
  };
  const bool first = cursor.back == kTraceNone && same(at[-3]) && !is_repeated(at[-4].kind());
  const bool second = cursor.back == kTraceOneBefore && same(at[-2]);
  if (!first && !second) {
    at[-1].what = what;
    cursor.back = kTraceNone;
    return;
  }
  trace::Record& earlier = first ? at[-3] : at[-2];
  earlier.what += trace::kRepeated;
  earlier.when += kTraceAgain;
  cursor.back = first ? kTraceOneBefore : kTraceTwoBefore;
  cursor.next.store(at - 1, std::memory_order_release);
}

void trace_record_call(trace::Kind kind, G* gp) {
  // It may have lost its P, and have it again.
  if (TraceBuffer* b = getm()->trace.buffer; kind == trace::Kind::returns && b != nullptr) {
    b->p = nullptr;
  }
  trace_record(trace_what(kind, 0, gp->goid), gp);
  // What comes next may find the M without its P, or with another.
  getm()->trace.quick_end.store(nullptr, std::memory_order_relaxed);
}

void trace_record_thread(trace::Kind kind) {
  if (kind == trace::Kind::m_looks && !with_queues) return;
  M* mp = getm();
  if (!prepare(mp)) return;
  const std::uint32_t ticks = read_clock(mp);
  append(mp, trace_what(kind, mp->spinning ? 1 : 0, 0), ticks);
}

}  // namespace goro
