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
#include "frame/dump.h"
#include "frame/settings.h"
#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

alignas(kCacheLine) std::atomic<std::uint32_t> trace_round{0};

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

void append(TraceBuffer* b, std::uint64_t what, std::uint64_t when) {
  trace::Record* at = b->next.load(std::memory_order_relaxed);
  at->what = what;
  at->when = when;
  b->next.store(at + 1, std::memory_order_release);
}

std::size_t size_of(const TraceBuffer& b) {
  return static_cast<std::size_t>(b.next.load(std::memory_order_acquire) - b.records);
}

// Ticks since the buffer's last reading. Whoever calls it has looked for room and P.
std::uint32_t read_clock(TraceBuffer* b) {
  const std::uint64_t now = clock_ticks();
  const std::uint64_t since = now - b->ticks;
  const bool close = since < close_together * (b->window + 1);
  b->window = close && !exact ? std::min(b->window * 2 + 1, kMostQuick) : 0;
  b->round = trace_round.load(std::memory_order_relaxed);
  b->ticks = now;
  if (since <= ~std::uint32_t{0}) return static_cast<std::uint32_t>(since);
  append(b, trace_what(trace::Kind::time, 0, 0), now);
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

void refill(M* mp) {
  TraceBuffer* b = nullptr;
  lock.lock();
  if (mp->trace != nullptr) retire(mp->trace);
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
    b->next.store(b->records, std::memory_order_relaxed);
    b->serial = next_serial++;
    b->m = mp->id;
    b->owner = mp;
    b->p = nullptr;
    b->quick_end = nullptr;
    b->stop = 0;
    b->window = 0;
  }
  lock.unlock();
  mp->trace = b;
  if (b == nullptr) return;
  b->ticks = clock_ticks();
  append(b, trace_what(trace::Kind::time, 0, 0), b->ticks);
}

[[gnu::noinline]] void refill_on_g0(M* mp) {
  if (on_g0()) return refill(mp);
  systemstack([mp] { refill(mp); });
}

// This M's buffer with room for the next record and what it needs before it; null: nothing is
// recorded. The P is in it.
TraceBuffer* buffer_of(M* mp) {
  if (mp == nullptr || mp->trace == nullptr || mp->trace->owner != mp) return nullptr;
  if (const std::uint64_t stop = mp->trace->stop; stop != 0) {
    // There was room for it.
    append(mp->trace, stop, 0);
    mp->trace->stop = 0;
  }
  if (TraceBuffer::kRecords - size_of(*mp->trace) < kMostAtOnce) refill_on_g0(mp);
  TraceBuffer* b = mp->trace;
  if (b == nullptr) return nullptr;
  b->quick_end = nullptr;
  if (const P* pp = mp->p; pp != b->p) {
    b->p = pp;
    if (pp != nullptr) {
      append(b, trace_what(trace::Kind::p_taken, 0, static_cast<std::uint64_t>(pp->id)), 0);
    }
  }
  return b;
}

// The next ones may be quick.
void permit_quick(TraceBuffer* b) {
  b->quick_end = b->next.load(std::memory_order_relaxed) +
                 std::min<std::size_t>(b->window, TraceBuffer::kRecords - size_of(*b));
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
  exact = settings().traceexact;
  close_together = ticks_close_together();
  for (std::uint32_t i = 0; i < used; ++i) buffers[i].owner = nullptr;
  used = next_serial = 0;
  lost = 0;
  oldest_full = newest_full = nullptr;
  std::fill_n(last_length, kMostPs, 0);
  last_global = 0;
  this_run = trace::RunHeader{};
  this_run.magic = trace::kRunMagic;
  this_run.procs = static_cast<std::uint32_t>(procs);
  this_run.first_ticks = clock_ticks();
  this_run.first_ns = nanotime();
  change_ending_signals(SIG_DFL, on_ending_signal);
  run_is_open.store(true, std::memory_order_release);
  trace_round.store(1, std::memory_order_relaxed);
}

void trace_run_ends() {
  if (!trace_is_on()) return;
  trace_round.store(0, std::memory_order_relaxed);
  if (!run_is_open.exchange(false, std::memory_order_acq_rel)) return;
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
  // Whoever returns from here ends the process. Bounded, because it may be this very thread that
  // is in the middle of writing, below the signal's handler.
  for (int i = 0; i < 100'000 && !written.load(std::memory_order_acquire); ++i) sched_yield();
}

void trace_thread_begins(M* mp) {
  mp->trace = nullptr;
  if (!trace_is_on()) return;
  refill(mp);
  TraceBuffer* b = mp->trace;
  if (b != nullptr) append(b, trace_what(trace::Kind::m_begins, mp->is_sysmon ? 1 : 0, 0), 0);
}

void trace_thread_ends(M* mp) {
  TraceBuffer* b = buffer_of(mp);
  if (b == nullptr) return;
  append(b, trace_what(trace::Kind::m_ends, 0, 0), read_clock(b));
  mp->trace = nullptr;
  lock.lock();
  retire(b);
  lock.unlock();
}

void trace_sample() {
  // Never 0 again: 2^32 rounds take days.
  trace_round.store(trace_round.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  M* mp = getm();
  const std::int32_t procs = std::min(kMostPs, sched.gomaxprocs.load(std::memory_order_acquire));
  for (std::int32_t i = 0; i < procs; ++i) {
    const P* pp = allp[static_cast<std::size_t>(i)];
    const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
    std::uint32_t length = pp->runqtail.load(std::memory_order_acquire) - head;
    if (pp->runnext.load(std::memory_order_relaxed) != nullptr) ++length;
    if (length == last_length[i]) continue;
    TraceBuffer* b = buffer_of(mp);
    if (b == nullptr) return;
    last_length[i] = length;
    const std::uint64_t ticks = read_clock(b);
    append(b, trace_what(trace::Kind::p_length, 0, static_cast<std::uint64_t>(i)),
           ticks | std::uint64_t{length} << 32);
  }
  const auto global = static_cast<std::uint32_t>(sched.runqsize.load(std::memory_order_relaxed));
  if (global == last_global) return;
  TraceBuffer* b = buffer_of(mp);
  if (b == nullptr) return;
  last_global = global;
  const std::uint64_t ticks = read_clock(b);
  append(b, trace_what(trace::Kind::grq_length, 0, 0), ticks | std::uint64_t{global} << 32);
}

void trace_record(std::uint64_t what, G* gp) {
  TraceBuffer* b = buffer_of(getm());
  if (b == nullptr) return;
  const std::uint64_t ticks = read_clock(b);
  append(b, what, ticks | std::uint64_t{++gp->trace_seq} << 32);
  permit_quick(b);
}

void trace_record_stop(std::uint64_t what) {
  TraceBuffer* b = buffer_of(getm());
  if (b == nullptr) return;
  append(b, what, read_clock(b));
  permit_quick(b);
}

void trace_record_call(trace::Kind kind, G* gp) {
  trace_record(trace_what(kind, 0, gp->goid), gp);
  // What comes next may find the M without its P, or with another.
  if (TraceBuffer* b = getm()->trace; b != nullptr) b->quick_end = nullptr;
}

void trace_record_thread(trace::Kind kind) {
  TraceBuffer* b = buffer_of(getm());
  if (b == nullptr) return;
  append(b, trace_what(kind, 0, 0), read_clock(b));
}

}  // namespace goro
