// How long somebody who wants a mutex waits for it on its processor, before it parks.
//
// Parking costs a tenth of a microsecond, and so does waking; most mutexes are held for less. But
// a P that waits runs nobody, and every look at the mutex takes its line out of the cache of the
// one that works with it, which costs that one as much again. So the question is when to look.
//
// can_spin and do_spin are Go's: four looks at a fixed distance, and only by a P that has nothing
// else to do. stand_back comes before them, and goes by what happens to the mutex meanwhile. It
// looks after 4 pauses, then after 8 more, then 16, …, and at each look reads how often the mutex
// was taken since the last one:
//
//   often             it is passed on in a loop, and we are in the way: twice as long, whether it
//                     is locked at this moment or not
//   not often, free   our turn
//   now and then      short sections: it pays to wait for somewhat longer than one
//   not once          one long section: a microsecond, then park
//
// Of two Ps that want one mutex all the time each has it for a long while, then. A thousand turns
// in one cache are faster than one turn each, a thousand times. Nobody starves: a waiter goes by
// the clock (kStarvationThreshold), and does not stand back from a mutex that is starving.
#pragma once

#include <cstdint>

#include "contracts/constants.h"
#include "goro/detail/sync_words.h"

namespace goro {

inline constexpr int kFirstPauses = 4;
// With all before it 20 µs, where a pause takes 20 ns.
inline constexpr int kLastPauses = 512;
inline constexpr std::uint32_t kOften = 4;
inline constexpr int kShortSections = 8 * kActiveSpinCount;

// stand_back, with `pause(n)` for n pauses.
// [stand_back]
template <typename Pause>
void stand_back_by(const MutexWords* m, Pause pause) {
  std::uint32_t seen = m->taken.load(std::memory_order_relaxed);
  int waited = 0;
  for (int pauses = kFirstPauses; pauses <= kLastPauses; pauses *= 2) {
    pause(pauses);
    waited += pauses;
    const std::uint32_t taken = m->taken.load(std::memory_order_relaxed);
    const std::uint32_t times = taken - seen;
    seen = taken;
    if (times >= kOften) continue;
    const std::int32_t state = m->state.load(std::memory_order_relaxed);
    if ((state & (kMutexLocked | kMutexStarving)) != kMutexLocked) return;
    if (waited >= (times == 0 ? kActiveSpinCount : kShortSections)) return;
  }
}
// [/stand_back]

}  // namespace goro
