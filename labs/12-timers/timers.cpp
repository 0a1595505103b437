// Setting, stopping and running timers.
// contracts/timers.h is the specification; this file is steps 2 to 5 of this lab's README.
#include "contracts/timers.h"
#include "contracts/not_implemented.h"

namespace goro {

// Step 2: is there a time, and no heap?
bool RuntimeTimer::needs_add() const {
  GORO_NOT_IMPLEMENTED(12, 2);
}

// Step 2: under the timer's lock; then into a heap, or a mark for the one that it is in.
bool RuntimeTimer::modify(std::int64_t /*when_to*/, std::int64_t /*every*/,
                          TimerFunction /*function*/, void* /*argument*/,
                          std::uintptr_t /*sequence*/) {
  GORO_NOT_IMPLEMENTED(12, 2);
}

// Step 2: a mark, if it is in a heap.
bool RuntimeTimer::stop() {
  GORO_NOT_IMPLEMENTED(12, 2);
}

// Step 2: into the heap of this P, and somebody told if it is the earliest.
void RuntimeTimer::maybe_add() {
  GORO_NOT_IMPLEMENTED(12, 2);
}

// Step 3: the first entry follows its timer's marks.
bool RuntimeTimer::update_heap() {
  GORO_NOT_IMPLEMENTED(12, 3);
}

// Step 4: the next time, then out of the locks, then f.
void RuntimeTimer::unlock_and_run(std::int64_t /*now*/) {
  GORO_NOT_IMPLEMENTED(12, 4);
}

// Step 3: marks at both ends.
void Timers::clean_head() {
  GORO_NOT_IMPLEMENTED(12, 3);
}

// Step 3: all marks.
void Timers::adjust(std::int64_t /*now*/, bool /*force*/) {
  GORO_NOT_IMPLEMENTED(12, 3);
}

// Step 4: the first, if it is due.
std::int64_t Timers::run(std::int64_t /*now*/) {
  GORO_NOT_IMPLEMENTED(12, 4);
}

// Step 4: all that are due.
bool Timers::check() {
  GORO_NOT_IMPLEMENTED(12, 4);
}

// Step 5: the timers of a P that goes away.
void Timers::take(Timers* /*from*/) {
  GORO_NOT_IMPLEMENTED(12, 5);
}

// Step 5: over all Ps.
std::int64_t earliest_timer() {
  GORO_NOT_IMPLEMENTED(12, 5);
}

}  // namespace goro
