// GORO_TRACE=FILE: what every G, M and P does, for ./course trace. See frame/trace.cpp.
#pragma once

#include <atomic>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "frame/trace_format.h"

namespace goro {

// What one M records. What belongs to the M goes from its full buffer to its next one.
struct TraceBuffer {
  static constexpr std::size_t kBytes = 16384;
  static constexpr std::size_t kHeaderBytes = 128;
  static constexpr std::size_t kRecords = (kBytes - kHeaderBytes) / sizeof(trace::Record);

  std::atomic<trace::Record*> next{nullptr};  // release: those before it are whole
  // Up to here records may follow without a look at anything else: there is room for them, they
  // need no time, and the M has the P that it had.
  const trace::Record* quick_end = nullptr;
  // How the M's goroutine stopped, if that has no record yet, as it will be in Record::what.
  // Meanwhile quick_end is null, and kept_end what it was.
  std::uint64_t stop = 0;
  const trace::Record* kept_end = nullptr;
  std::uint32_t round = 0;   // sysmon's, when the clock was last read
  std::uint32_t window = 0;  // so many records did without then
  std::uint64_t ticks = 0;   // the clock then
  const P* p = nullptr;      // the last P it said it holds
  const M* owner = nullptr;
  std::int64_t m = 0;  // its id
  std::uint32_t serial = 0;
  TraceBuffer* next_full = nullptr;
  alignas(kHeaderBytes) trace::Record records[kRecords];
};
static_assert(sizeof(TraceBuffer) == TraceBuffer::kBytes);

// 0: nothing is recorded; that changes only while no runtime runs. Else how often sysmon has been
// round. Read at every record, written a few thousand times a second. A plain atomic: no schedule
// of a simulation is to depend on it.
extern std::atomic<std::uint32_t> trace_round;

inline bool trace_is_on() {
  return trace_round.load(std::memory_order_relaxed) != 0;
}

// A buffer that is written again is in no cache, and the next locked instruction waits for what was
// stored: so the lines are asked for this many records ahead.
inline constexpr std::size_t kTraceAhead = 16;

void trace_run_begins(std::int32_t procs);
// Writes the run to the file.
void trace_run_ends();

// The process is about to end in the middle of a run: writes what there is. Any thread, any stack
// with a few hundred bytes, in a signal's handler too. Waits for no lock.
void trace_process_ends();

// This thread has entered mp, or is about to leave it.
void trace_thread_begins(M* mp);
void trace_thread_ends(M* mp);

// Sysmon's, once a round: the queues' lengths.
void trace_sample();

// What the inline functions below leave out.
void trace_record(std::uint64_t what, G* gp);
void trace_record_stop(std::uint64_t what);
void trace_record_call(trace::Kind kind, G* gp);
void trace_record_thread(trace::Kind kind);

constexpr std::uint64_t trace_what(trace::Kind kind, std::uint8_t argument, std::uint64_t id) {
  return static_cast<std::uint64_t>(kind) | std::uint64_t{argument} << 8 | id << 16;
}

// gp is created or readied. It is the caller's alone at this moment. On g0, or on a goroutine's
// stack between acquirem and releasem.
[[gnu::always_inline]] inline void trace_goroutine(trace::Kind kind, G* gp,
                                                   std::uint8_t argument = 0) {
  const std::uint32_t round = trace_round.load(std::memory_order_relaxed);
  if (round == 0) [[likely]]
    return;
  const std::uint64_t what = trace_what(kind, argument, gp->goid);
  const M* mp = getm();
  TraceBuffer* b = mp != nullptr ? mp->trace : nullptr;
  if (b == nullptr) return;
  trace::Record* at = b->next.load(std::memory_order_relaxed);
  if (at >= b->quick_end || b->round != round) return trace_record(what, gp);
  __builtin_prefetch(at + kTraceAhead, 1);
  at->what = what;
  at->when = std::uint64_t{++gp->trace_seq} << 32;
  b->next.store(at + 1, std::memory_order_release);
}

// gp, which ran on this M, has stopped for the reason that kind says, and is nobody else's yet. On
// g0.
[[gnu::always_inline]] inline void trace_stop(trace::Kind kind, const G* gp,
                                              std::uint8_t argument = 0) {
  const std::uint32_t round = trace_round.load(std::memory_order_relaxed);
  if (round == 0) [[likely]]
    return;
  const std::uint64_t what = trace_what(kind, argument, gp->goid);
  TraceBuffer* b = getm()->trace;
  if (b == nullptr) return;
  if (b->next.load(std::memory_order_relaxed) >= b->quick_end || b->round != round) {
    return trace_record_stop(what);
  }
  b->stop = what;
  b->kept_end = b->quick_end;
  b->quick_end = nullptr;
}

// gp starts on this M. On g0.
[[gnu::always_inline]] inline void trace_start(G* gp) {
  const std::uint32_t round = trace_round.load(std::memory_order_relaxed);
  if (round == 0) [[likely]]
    return;
  TraceBuffer* b = getm()->trace;
  if (b == nullptr) return;
  if (b->stop == 0 || b->round != round) {
    return trace_record(trace_what(trace::Kind::starts, 0, gp->goid), gp);
  }
  trace::Record* at = b->next.load(std::memory_order_relaxed);
  const std::uint64_t what = ((b->stop & 0xffff) + trace::kSwitch) | gp->goid << 16;
  const std::uint64_t last = std::uint64_t{gp->trace_seq++} << 32;
  b->stop = 0;
  b->quick_end = b->kept_end;
  // There always is a record before it: a buffer begins with the time. Whoever reads it meanwhile
  // finds either of the two.
  trace::Record& before = at[-1];
  if (before.what == trace_what(trace::Kind::readied, 0, gp->goid) && before.when == last) {
    before.what = what + trace::kHandOver;
    return;
  }
  __builtin_prefetch(at + kTraceAhead, 1);
  at->what = what;
  at->when = std::uint64_t{gp->trace_seq} << 32;
  b->next.store(at + 1, std::memory_order_release);
}

// One of the two ends of a system call. On g0.
inline void trace_call(trace::Kind kind, G* gp) {
  if (trace_is_on()) [[unlikely]]
    trace_record_call(kind, gp);
}

// Of this M itself. On g0.
inline void trace_thread(trace::Kind kind) {
  if (trace_is_on()) [[unlikely]]
    trace_record_thread(kind);
}

}  // namespace goro
