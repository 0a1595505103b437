// Who waits for a descriptor: the words of its two sides.
// contracts/netpoll.h is the specification; this file is steps 2, 4 and 5 of this lab's README.
#include "contracts/netpoll.h"
#include "contracts/not_implemented.h"

namespace goro {

// Step 2: takes an edge that is there, or parks.
bool netpoll_block(PollDesc* /*pd*/, PollMode /*mode*/) {
  GORO_NOT_IMPLEMENTED(13, 2);
}

// Step 2: changes the word; who waited there is returned.
G* netpoll_unblock(PollDesc* /*pd*/, PollMode /*mode*/, bool /*edge*/) {
  GORO_NOT_IMPLEMENTED(13, 2);
}

// Step 4: before each try.
PollError poll_reset(PollDesc* /*pd*/, PollMode /*mode*/) {
  GORO_NOT_IMPLEMENTED(13, 4);
}

// Step 4: after a try that would have blocked.
PollError poll_wait(PollDesc* /*pd*/, PollMode /*mode*/) {
  GORO_NOT_IMPLEMENTED(13, 4);
}

// Step 4: closed; all who wait are woken.
void poll_unblock(PollDesc* /*pd*/) {
  GORO_NOT_IMPLEMENTED(13, 4);
}

// Step 5: a time at which a side's waiting ends.
void poll_set_deadline(PollDesc* /*pd*/, PollMode /*mode*/, std::int64_t /*when*/) {
  GORO_NOT_IMPLEMENTED(13, 5);
}

}  // namespace goro
