// Channels: who gives what to whom.
// contracts/channel.h is the specification; this file is steps 2 to 6 of this lab's README.
#include "contracts/channel.h"

#include "contracts/not_implemented.h"

namespace goro {

// Step 2. Last in the queue.
void Waitq::enqueue(Sudog* /*s*/) {
  GORO_NOT_IMPLEMENTED(9, 2);
}

// Step 2. The first that is ours to wake.
Sudog* Waitq::dequeue() {
  GORO_NOT_IMPLEMENTED(9, 2);
}

// Step 2. Out of the middle.
void Waitq::dequeue_sudog(Sudog* /*s*/) {
  GORO_NOT_IMPLEMENTED(9, 2);
}

// Step 3. A receiver, the buffer, or no. Step 5 adds the waiting.
bool chansend(Hchan* /*c*/, void* /*elem*/, bool /*block*/) {
  GORO_NOT_IMPLEMENTED(9, 3);
}

// Step 3. A sender, the buffer, or no. Step 5 adds the waiting.
ReceiveResult chanrecv(Hchan* /*c*/, void* /*elem*/, bool /*block*/) {
  GORO_NOT_IMPLEMENTED(9, 3);
}

// Step 4. To a receiver that waits.
void send(Hchan* /*c*/, Sudog* /*sg*/, void* /*elem*/, Unlock /*unlockf*/) {
  GORO_NOT_IMPLEMENTED(9, 4);
}

// Step 4. From a sender that waits.
void recv(Hchan* /*c*/, Sudog* /*sg*/, void* /*elem*/, Unlock /*unlockf*/) {
  GORO_NOT_IMPLEMENTED(9, 4);
}

// Step 6. Everybody wakes.
void closechan(Hchan* /*c*/) {
  GORO_NOT_IMPLEMENTED(9, 6);
}

}  // namespace goro
