// What a starter's functions do until they are written.
#pragma once

extern "C" {
// Ends the process with status 4 after one line on stderr: "not implemented: lab N step M
// (function)". Callable from any stack. From assembly: NOT_IMPLEMENTED(lab, step).
[[noreturn]] void goro_not_implemented(int lab, int step);

// Called first, if not null, so that a test harness can report it.
extern void (*goro_on_not_implemented)(int lab, int step, const char* function);
}

namespace goro {
[[noreturn]] void not_implemented(int lab, int step, const char* function);
}  // namespace goro

// The body of a function that a student has yet to write.
#define GORO_NOT_IMPLEMENTED(lab, step) ::goro::not_implemented((lab), (step), __func__)
