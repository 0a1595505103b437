// Moving elements between a channel's buffer and those who send and receive.
//
// All of them under c->lock. A move is the program's code, and may throw. Then what was to be moved
// is where it was, and these functions do not return: they give the operation up, by calling
// `unlockf`, waking `partner` (a sudog that was taken from its queue for this operation; null:
// none) to look again, and releasem; and the exception goes on to whoever called the operation.
//
// Elements that are moved by copying their bytes never come to any of this, and cost no call.
#pragma once

#include <cstdint>
#include <cstring>

#include "contracts/channel.h"

namespace goro {

// Slot i of the buffer.
inline void* chanbuf(Hchan* c, std::size_t i) {
  return c->buf + i * c->elemsize;
}

// The bytes of a trivial element.
inline void copy_element(void* to, const void* from, std::size_t size) {
  if (size == 8) {
    std::memcpy(to, from, 8);
  } else if (size == 4) {
    std::memcpy(to, from, 4);
  } else {
    std::memcpy(to, from, size);
  }
}

void put_element_by_move(Hchan* c, std::size_t i, void* from, Unlock unlockf);
void take_element_by_move(Hchan* c, std::size_t i, void* place, Sudog* partner, Unlock unlockf);
void hand_over_by_move(Hchan* c, void* place, void* from, Sudog* partner, Unlock unlockf);
Sudog* refill_by_move(Hchan* c, std::size_t i, Sudog* sg);

// From the element at `from` into the free slot i.
inline void put_element(Hchan* c, std::size_t i, void* from, Unlock unlockf) {
  if (!c->trivial) return put_element_by_move(c, i, from, unlockf);
  copy_element(chanbuf(c, i), from, c->elemsize);
}

// From slot i, which is free then, into a receiver's place.
inline void take_element(Hchan* c, std::size_t i, void* place, Sudog* partner, Unlock unlockf) {
  if (!c->trivial) return take_element_by_move(c, i, place, partner, unlockf);
  copy_element(place, chanbuf(c, i), c->elemsize);
}

// From a sender's hand into a receiver's place; one of the two is the partner's.
inline void hand_over_element(Hchan* c, void* place, void* from, Sudog* partner, Unlock unlockf) {
  if (!c->trivial) return hand_over_by_move(c, place, from, partner, unlockf);
  copy_element(place, from, c->elemsize);
}

// From the hand of sg, a sender that was taken out of sendq, into the free slot i. The receiver who
// does it has a value already, so an exception is not for it: then sg is woken to look again, and
// the next sender that waits is tried, if there is one. Returns the sender that was served, or
// null.
inline Sudog* refill_element(Hchan* c, std::size_t i, Sudog* sg) {
  if (!c->trivial) return refill_by_move(c, i, sg);
  copy_element(chanbuf(c, i), sg->elem, c->elemsize);
  return sg;
}

}  // namespace goro
