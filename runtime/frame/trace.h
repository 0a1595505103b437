// GORO_TRACE=FILE: what every G, M and P does, for ./course trace. See frame/trace.cpp.
#pragma once

#include "contracts/model.h"
#include "frame/trace_format.h"

namespace goro {

// Changes only while no runtime runs.
extern bool trace_is_on;

void trace_run_begins(std::int32_t procs);
// Writes the run to the file.
void trace_run_ends();

// The process is about to end in the middle of a run: writes what there is, and from now on nothing
// is recorded. Any thread, any stack with a few hundred bytes, in a signal's handler too. Waits for
// no lock.
void trace_process_ends();

// This thread has entered mp, or is about to leave it.
void trace_thread_begins(M* mp);
void trace_thread_ends(M* mp);

// Sysmon's, once a round: the queues' lengths.
void trace_sample();

// The two halves of the inline functions below: apart, so that these are a load and a branch.
void trace_record(trace::Kind kind, std::uint8_t argument, G* gp);
void trace_record_start(G* gp);
void trace_record_thread(trace::Kind kind);

// Something happens to gp, which is the caller's alone at this moment: it runs here, or waits and
// the caller is the one to ready it, or is not on a queue yet. On g0, or on a goroutine's stack
// between acquirem and releasem.
inline void trace_goroutine(trace::Kind kind, G* gp, std::uint8_t argument = 0) {
  if (trace_is_on) [[unlikely]]
    trace_record(kind, argument, gp);
}

inline void trace_start(G* gp) {
  if (trace_is_on) [[unlikely]]
    trace_record_start(gp);
}

// Of this M itself. On g0.
inline void trace_thread(trace::Kind kind) {
  if (trace_is_on) [[unlikely]]
    trace_record_thread(kind);
}

}  // namespace goro
