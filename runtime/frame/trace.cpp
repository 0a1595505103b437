// The recorder. Go: traceruntime.go, tracebuf.go, tracetime.go.
//
// Every M writes into a buffer of its own, 16 bytes a record, without a lock and without a line
// that others write to. A full buffer stays where it is; when the run ends, or the process, all go
// to the file. There are kBuffers of them: when all are full, the one that was full first is used
// again. So memory is bounded, nothing is written while the program runs, and of a long run the end
// is kept, which is where a program that hangs or fails shows why. The reader is told how much was
// lost.
//
// Order. Within a buffer it is the M's own. Between Ms no clock is trusted: G::trace_seq counts
// what happens to a goroutine. It is a plain number, because only whoever owns the goroutine
// records: it itself while it runs, its M between two goroutines, whoever is about to ready it
// while it waits. They hand it over through the status or a queue's lock. A reader takes (G, n)
// after (G, n - 1), whatever the clocks say. G has no room for such a number; it lives in the
// padding that the C++ library has behind its count of uncaught exceptions, in a line that each
// switch writes to anyway.
//
// Time. Reading the clock costs more than everything else that is done here. So
//   - a goroutine that starts where another has just stopped makes that record its own (a switch);
//   - when records follow each other closely, all but every sixteenth do without: a reader spreads
//     them evenly. When one is slow to come, or sysmon has been round since, each has its time
//     again. A time that was not taken is wrong by a few microseconds, or by sysmon's pause
//     (kTracePause) if somebody who was in a hurry stops being so. GORO_DEBUG=traceexact=1 reads it
//     every time.
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

bool trace_is_on = false;

// What belongs to the M goes from its full buffer to its next one.
struct TraceBuffer {
  static constexpr std::size_t kBytes = 16384;
  static constexpr std::uint32_t kHeaderBytes = 64;
  static constexpr std::uint32_t kRecords = (kBytes - kHeaderBytes) / sizeof(trace::Record);

  std::atomic<std::uint32_t> count{0};  // release: the records below it are whole
  std::uint32_t serial = 0;
  std::int64_t m = 0;
  const P* p = nullptr;         // the last P it said it holds
  std::uint64_t ticks = 0;      // the clock when it was last read
  std::uint32_t untimed = 0;    // so many more records do without
  std::uint32_t window = 0;     // so many did before the clock was last read
  std::uint32_t round = 0;      // sysmon's, then
  TraceBuffer* next = nullptr;  // on the list of full ones
  const M* owner = nullptr;
  alignas(kHeaderBytes) trace::Record records[kRecords];
};
static_assert(sizeof(TraceBuffer) == TraceBuffer::kBytes);

namespace {

constexpr std::size_t kBuffers = 1024;  // 16 MB, a million records
constexpr std::uint32_t kMostUntimed = 15;
// A record can need two before it: the P, and the time.
constexpr std::uint32_t kMostAtOnce = 3;
constexpr std::int32_t kMostPs = 64;  // whose queues are sampled

TraceBuffer* buffers = nullptr;
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

trace::RunHeader run;

// Plain atomics: no schedule of a simulation is to depend on them.
std::atomic<bool> run_is_open{false};
std::atomic<bool> frozen{false};
std::atomic<bool> written{false};
// How often sysmon has been round. Read at every record, written a few thousand times a second.
alignas(kCacheLine) std::atomic<std::uint32_t> round{0};

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

constexpr std::uint64_t what(trace::Kind kind, std::uint8_t argument, std::uint64_t id) {
  return static_cast<std::uint64_t>(kind) | std::uint64_t{argument} << 8 | id << 16;
}

void append(TraceBuffer* b, std::uint64_t what, std::uint64_t when) {
  const std::uint32_t n = b->count.load(std::memory_order_relaxed);
  b->records[n].what = what;
  b->records[n].when = when;
  b->count.store(n + 1, std::memory_order_release);
}

[[gnu::noinline]] std::uint32_t read_clock(TraceBuffer* b) {
  const std::uint64_t now = clock_ticks();
  const std::uint64_t since = now - b->ticks;
  const bool close = since < close_together * (b->window + 1);
  b->window = close && !exact ? std::min(b->window * 2 + 1, kMostUntimed) : 0;
  b->untimed = b->window;
  b->round = round.load(std::memory_order_relaxed);
  b->ticks = now;
  if (since <= ~std::uint32_t{0}) return static_cast<std::uint32_t>(since);
  append(b, what(trace::Kind::time, 0, 0), now);
  return 0;
}

// Ticks since the buffer's last reading, or 0 if the record does without.
std::uint32_t elapsed(TraceBuffer* b) {
  if (b->untimed == 0 || b->round != round.load(std::memory_order_relaxed)) return read_clock(b);
  --b->untimed;
  return 0;
}

void refill(M* mp) {
  TraceBuffer* full = mp->trace;
  TraceBuffer* b = nullptr;
  lock.lock();
  if (full != nullptr) {
    full->next = nullptr;
    if (newest_full != nullptr) {
      newest_full->next = full;
    } else {
      oldest_full = full;
    }
    newest_full = full;
  }
  if (frozen.load(std::memory_order_relaxed)) {
    // Somebody is writing them all.
  } else if (used < kBuffers) {
    b = &buffers[used++];
  } else if (oldest_full != nullptr) {
    b = oldest_full;
    oldest_full = b->next;
    if (oldest_full == nullptr) newest_full = nullptr;
    lost += b->count.load(std::memory_order_relaxed);
  }
  if (b != nullptr) {
    const bool same = b == full;
    b->count.store(0, std::memory_order_relaxed);
    b->serial = next_serial++;
    b->m = mp->id;
    b->owner = mp;
    b->p = nullptr;
    if (!same) {
      b->untimed = b->window = 0;
      b->round = 0;
    }
  }
  lock.unlock();
  mp->trace = b;
  if (b == nullptr) return;
  b->ticks = clock_ticks();
  append(b, what(trace::Kind::time, 0, 0), b->ticks);
}

[[gnu::noinline]] void refill_on_g0(M* mp) {
  if (on_g0()) return refill(mp);
  systemstack([mp] { refill(mp); });
}

// This M's buffer with room for the next record; null: nothing is recorded.
TraceBuffer* room(M* mp) {
  if (mp == nullptr || mp->trace == nullptr) return nullptr;
  // Of a thread that was in a system call when its run ended, the buffer is another's by now.
  if (mp->trace->owner != mp) return nullptr;
  if (mp->trace->count.load(std::memory_order_relaxed) + kMostAtOnce > TraceBuffer::kRecords) {
    refill_on_g0(mp);
  }
  return mp->trace;
}

void name_p(TraceBuffer* b, const M* mp) {
  const P* pp = mp->p;
  if (pp == b->p) return;
  b->p = pp;
  if (pp == nullptr) return;
  append(b, what(trace::Kind::p_taken, 0, static_cast<std::uint64_t>(pp->id)), 0);
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
  run.last_ticks = clock_ticks();
  run.last_ns = nanotime();
  run.lost = lost;
  run.buffers = std::min<std::uint32_t>(used, kBuffers);
  run.cut_off = cut_off ? 1 : 0;
  write_all(fd, &run, sizeof(run));
  for (std::uint32_t i = 0; i < run.buffers; ++i) {
    const TraceBuffer& b = buffers[i];
    // acquire: the records are whole.
    const std::uint32_t count = b.count.load(std::memory_order_acquire);
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
  trace_is_on = false;
  if (settings().trace[0] == '\0') return;
  owner = getpid();
  if (buffers == nullptr) {
    void* at = mmap(nullptr, kBuffers * sizeof(TraceBuffer), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return;
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
  run = trace::RunHeader{};
  run.magic = trace::kRunMagic;
  run.procs = static_cast<std::uint32_t>(procs);
  run.first_ticks = clock_ticks();
  run.first_ns = nanotime();
  change_ending_signals(SIG_DFL, on_ending_signal);
  run_is_open.store(true, std::memory_order_release);
  trace_is_on = true;
}

void trace_run_ends() {
  if (!trace_is_on) return;
  trace_is_on = false;
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
  if (!trace_is_on) return;
  refill(mp);
  TraceBuffer* b = mp->trace;
  if (b != nullptr) append(b, what(trace::Kind::m_begins, mp->is_sysmon ? 1 : 0, 0), elapsed(b));
}

void trace_thread_ends(M* mp) {
  if (TraceBuffer* b = room(mp); b != nullptr) {
    append(b, what(trace::Kind::m_ends, 0, 0), read_clock(b));
    mp->trace = nullptr;
  }
}

void trace_sample() {
  round.store(round.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  M* mp = getm();
  const std::int32_t procs = std::min(kMostPs, sched.gomaxprocs.load(std::memory_order_acquire));
  for (std::int32_t i = 0; i < procs; ++i) {
    const P* pp = allp[static_cast<std::size_t>(i)];
    const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
    std::uint32_t length = pp->runqtail.load(std::memory_order_acquire) - head;
    if (pp->runnext.load(std::memory_order_relaxed) != nullptr) ++length;
    if (length == last_length[i]) continue;
    TraceBuffer* b = room(mp);
    if (b == nullptr) return;
    last_length[i] = length;
    append(b, what(trace::Kind::p_length, 0, static_cast<std::uint64_t>(i)),
           read_clock(b) | std::uint64_t{length} << 32);
  }
  const auto global = static_cast<std::uint32_t>(sched.runqsize.load(std::memory_order_relaxed));
  if (global == last_global) return;
  TraceBuffer* b = room(mp);
  if (b == nullptr) return;
  last_global = global;
  append(b, what(trace::Kind::grq_length, 0, 0), read_clock(b) | std::uint64_t{global} << 32);
}

void trace_record(trace::Kind kind, std::uint8_t argument, G* gp) {
  const auto id = what(kind, argument, gp->goid);
  M* mp = getm();
  TraceBuffer* b = room(mp);
  if (b == nullptr) return;
  name_p(b, mp);
  const std::uint64_t ticks = elapsed(b);
  append(b, id, ticks | std::uint64_t{++gp->trace_seq} << 32);
}

void trace_record_start(G* gp) {
  M* mp = getm();
  TraceBuffer* b = room(mp);
  if (b == nullptr) return;
  name_p(b, mp);
  trace::Record* last = &b->records[b->count.load(std::memory_order_relaxed) - 1];
  const std::uint64_t number = std::uint64_t{++gp->trace_seq} << 32;
  if (trace::is_stop(last->kind())) {
    const std::uint64_t stop = last->what & 0xffff;
    last->what = (stop + trace::kSwitch) | gp->goid << 16;
    last->when = last->ticks() | number;
  } else {
    const std::uint64_t ticks = elapsed(b);
    append(b, what(trace::Kind::starts, 0, gp->goid), ticks | number);
  }
}

void trace_record_thread(trace::Kind kind) {
  M* mp = getm();
  TraceBuffer* b = room(mp);
  if (b == nullptr) return;
  name_p(b, mp);
  append(b, what(kind, 0, 0), read_clock(b));
}

}  // namespace goro
