// What the environment asks for: GORO_MAXPROCS, GORO_TRACEBACK, GORO_TRACE and
// GORO_DEBUG=name=value,….
#pragma once

#include "contracts/model.h"

namespace goro {

struct Settings {
  int maxprocs = 0;  // 0: not set
  bool stackcheck = false;
  int schedtrace = 0;  // milliseconds between two lines; 0: none
  bool scheddetail = false;
  bool preemptoff = false;        // time slices do not end
  bool asyncpreemptoff = false;   // no goroutine is stopped by a signal
  bool preemptstorm = false;      // every goroutine that runs is stopped a thousand times a second
  bool chainedstacks = false;     // who asks for no stack gets a chained one
  bool traceback_system = false;  // backtraces have the runtime's functions too
  bool traceexact = false;        // a trace has the time of every record
  bool tracequeues = false;       // and what is in the queues
  int tracebuffers = 1024;        // so many of 16 KB, a thousand records each
  char trace[4096] = "";          // the file that a trace goes to; empty: none
};

// Read once, when the program starts.
const Settings& settings();

// The stack of a goroutine for which none was asked. Set when the settings are read.
extern StackKind stack_kind_if_none_asked;
inline StackKind default_stack_kind() {
  return stack_kind_if_none_asked;
}

// No goroutine is asked to give way because its slice has lasted too long, as with
// GORO_DEBUG=preemptoff=1. While no runtime runs.
void settings_preemptoff(bool off);

// Reads the environment again, for a test that changed it. While no runtime runs.
void settings_read_again();

}  // namespace goro
