// Exit statuses, and the ends that are not a slot's business.
#pragma once

// Called before the text of an end that is no success is printed, maybe in a signal handler; null:
// nothing.
extern "C" {
extern void (*goro_before_end)();
}

namespace goro {

inline constexpr int kExitFatal = 2;
inline constexpr int kExitNotImplemented = 4;

// Prints the text as it is and exits with status 2. Any stack.
[[noreturn]] void stop_with(const char* text);

// The terminate handler while run() is active: an exception left a goroutine.
void on_terminate();

// Prints the text and every goroutine, and exits with status 2. On g0.
[[noreturn]] void stop_with_dump(const char* text);

}  // namespace goro
