// Where in the source a code address belongs, from debug information.
#pragma once

#include <cstdint>

namespace goro {

// Whether the runtime was built with libbacktrace. If not, nothing is ever found.
extern const bool knows_source_lines;

struct SourceLine {
  const char* function;  // mangled or not; null if unknown
  const char* file;
  int line;
};

// Calls f for each function that is inlined at pc, innermost first, and then for the one that pc is
// in; the text is valid during the call only. Returns how many they were: 0 without debug
// information. Allocates no memory that malloc knows of and takes no lock of ours: usable in a
// signal handler, where libbacktrace's own loads of debug information may be interrupted.
int source_lines(std::uintptr_t pc, void (*f)(const SourceLine& line, int index, void* arg),
                 void* arg);

}  // namespace goro
