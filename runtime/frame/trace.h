// GORO_TRACE=FILE: what every G, M and P does, for ./course trace. See frame/trace.cpp.
#pragma once

#include <atomic>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/services/goroutine.h"
#include "frame/trace_format.h"

namespace goro {

// What one M records. What belongs to the M goes from its full buffer to its next one.
struct TraceBuffer {
  static constexpr std::size_t kBytes = 16384;
  static constexpr std::size_t kHeaderBytes = 128;
  static constexpr std::size_t kRecords = (kBytes - kHeaderBytes) / sizeof(trace::Record);

  trace::Record* end = nullptr;  // what M::trace.next was when its M was done with it
  std::uint32_t window = 0;      // so many records did without the clock when it was last read
  std::uint64_t ticks = 0;       // the clock then
  const P* p = nullptr;          // the last P it said it holds
  std::atomic<const M*> owner{nullptr};
  std::int64_t m = 0;  // its id
  std::uint32_t serial = 0;
  TraceBuffer* next_full = nullptr;
  alignas(kHeaderBytes) trace::Record records[kRecords];
};
static_assert(sizeof(TraceBuffer) == TraceBuffer::kBytes);
// A look at the records before the first ones finds the header's end, and there nothing.
static_assert(offsetof(TraceBuffer, next_full) + sizeof(std::uintptr_t) +
                  4 * sizeof(trace::Record) <=
              TraceBuffer::kHeaderBytes);

// Changes only while no runtime runs. A plain atomic: no schedule of a simulation is to depend on
// it.
extern std::atomic<bool> trace_on;

inline bool trace_is_on() {
  return trace_on.load(std::memory_order_relaxed);
}

// A buffer that is written again is in no cache, and the next locked instruction waits for what was
// stored: so the lines are asked for this many records ahead.
inline constexpr std::size_t kTraceAhead = 16;

// TraceCursor::back, seen from behind the record of a readying: which hand-over may be repeated.
// The first is that record itself, which is no hand-over.
inline constexpr std::size_t kTraceNone = 1;
inline constexpr std::size_t kTraceOneBefore = 2;
inline constexpr std::size_t kTraceTwoBefore = 3;

// What one more time adds to Record::when.
inline constexpr std::uint64_t kTraceAgain = (std::uint64_t{trace::kNumbersOfHandOver} << 32) + 1;

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
void trace_other_hand_over(TraceCursor& cursor, trace::Record* at, std::uint64_t what,
                           std::uint64_t number);

constexpr std::uint64_t trace_what(trace::Kind kind, std::uint8_t argument, std::uint64_t id) {
  return static_cast<std::uint64_t>(kind) | std::uint64_t{argument} << 8 | id << 16;
}

// The record before `at`, that its goroutine was readied, becomes a hand-over. If it is the one
// that is expected to be repeated, that is counted there, and `at` goes back. `number` is where it
// is in Record::when.
[[gnu::always_inline]] inline void trace_hand_over(TraceCursor& cursor, trace::Record* at,
                                                   std::uint64_t what, std::uint64_t number) {
  trace::Record& expected = *(at - cursor.back);
  if (expected.what != what + trace::kRepeated ||
      (expected.when + kTraceAgain) >> 32 != number >> 32) {
    return trace_other_hand_over(cursor, at, what, number);
  }
  expected.when += kTraceAgain;
  // In turns: the next one to be repeated is the other of the two.
  cursor.back ^= kTraceOneBefore ^ kTraceTwoBefore;
  cursor.next.store(at - 1, std::memory_order_release);
}

// The M that gp is on. A slot that is not done yet may have forgotten to say so.
[[gnu::always_inline]] inline M* trace_m_of(const G* gp) {
  M* mp = gp->m;
  return mp != nullptr ? mp : getm();
}

// gp is created or readied. It is the caller's alone at this moment. On g0, or on a goroutine's
// stack between acquirem and releasem.
[[gnu::always_inline]] inline void trace_goroutine(trace::Kind kind, G* gp,
                                                   std::uint8_t argument = 0) {
  if (!trace_is_on()) [[likely]]
    return;
  M* mp = getm();
  if (mp == nullptr) return;
  const std::uint64_t what = trace_what(kind, argument, gp->goid);
#if !defined(__OPTIMIZE__)
  // Here each step is a call. In its prologue the stack may be moved, which is recorded: not in the
  // middle of another record.
  if (!on_g0()) return systemstack([what, gp] { trace_record(what, gp); });
#endif
  TraceCursor& cursor = mp->trace;
  trace::Record* at = cursor.next.load(std::memory_order_relaxed);
  if (at >= cursor.quick_end.load(std::memory_order_relaxed) || cursor.stop != 0) [[unlikely]] {
    return trace_record(what, gp);
  }
  at->what = what;
  at->when = std::uint64_t{++gp->trace_seq} << 32;
  cursor.next.store(at + 1, std::memory_order_release);
}

// gp, which ran on this M, has stopped for the reason that kind says, and is nobody else's yet. On
// g0.
[[gnu::always_inline]] inline void trace_stop(trace::Kind kind, const G* gp,
                                              std::uint8_t argument = 0) {
  if (!trace_is_on()) [[likely]]
    return;
  TraceCursor& cursor = trace_m_of(gp)->trace;
  const std::uint64_t what = trace_what(kind, argument, gp->goid);
  if (cursor.next.load(std::memory_order_relaxed) >=
      cursor.quick_end.load(std::memory_order_relaxed)) [[unlikely]] {
    return trace_record_stop(what);
  }
  cursor.stop = what;
}

// gp starts on this M. On g0.
[[gnu::always_inline]] inline void trace_start(G* gp) {
  if (!trace_is_on()) [[likely]]
    return;
  TraceCursor& cursor = trace_m_of(gp)->trace;
  trace::Record* at = cursor.next.load(std::memory_order_relaxed);
  const std::uint64_t stop = cursor.stop;
  if (stop == 0 || at >= cursor.quick_end.load(std::memory_order_relaxed)) [[unlikely]] {
    return trace_record(trace_what(trace::Kind::starts, 0, gp->goid), gp);
  }
  cursor.stop = 0;
  const std::uint64_t what = ((stop & 0xffff) + trace::kSwitch) | gp->goid << 16;
  const std::uint64_t last = std::uint64_t{gp->trace_seq++} << 32;
  // There always is a record before it: a buffer begins with the time. Whoever reads it meanwhile
  // finds either of the two.
  const trace::Record& before = at[-1];
  if (before.what == trace_what(trace::Kind::readied, 0, gp->goid) && before.when == last) {
    return trace_hand_over(cursor, at, what + trace::kHandOver, last);
  }
  __builtin_prefetch(at + kTraceAhead, 1);
  at->what = what;
  at->when = std::uint64_t{gp->trace_seq} << 32;
  cursor.back = kTraceNone;
  cursor.next.store(at + 1, std::memory_order_release);
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
