// A note: one word that a thread sleeps on in the kernel.
//
// The kernel looks at the word once more, under its own lock, before it puts a thread to sleep. So
// a wakeup between our look and the sleep is not lost: the word is 1 then, and the sleep ends at
// once.
#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/futex.h"

namespace goro {

namespace {

// For dumps. A thread that is not the runtime's sleeps here too, without an M.
void set_blocked(bool blocked) {
  if (M* mp = getm(); mp != nullptr) mp->blocked = blocked;
}

}  // namespace

// [wakeup]
void Note::wakeup() {
  // release: what the waker wrote before (nextp, say) is there for the sleeper.
  if (key_.exchange(1, std::memory_order_release) != 0) fatal("notewakeup - double wakeup");
  futex_wakeup(&key_, 1);
}
// [/wakeup]

// [sleep]
void Note::sleep() {
  set_blocked(true);
  while (!is_set()) futex_sleep(&key_, 0);
  set_blocked(false);
}
// [/sleep]

bool Note::sleep_for(std::int64_t nanoseconds) {
  if (is_set()) return true;
  const std::int64_t deadline = nanotime() + nanoseconds;
  set_blocked(true);
  for (std::int64_t left = nanoseconds; left > 0; left = deadline - nanotime()) {
    futex_sleep_for(&key_, 0, left);
    if (is_set()) break;
  }
  set_blocked(false);
  return is_set();
}

}  // namespace goro
