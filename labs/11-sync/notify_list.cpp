// Tickets.
// contracts/sync.h is the specification; this file is step 5 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/sync.h"

namespace goro {

// Step 5: draw a ticket.
std::uint32_t notify_list_add(NotifyList* /*list*/) {
  GORO_NOT_IMPLEMENTED(11, 5);
}

// Step 5: wait until it is called.
void notify_list_wait(NotifyList* /*list*/, std::uint32_t /*ticket*/) {
  GORO_NOT_IMPLEMENTED(11, 5);
}

// Step 5: call the next.
void notify_list_notify_one(NotifyList* /*list*/) {
  GORO_NOT_IMPLEMENTED(11, 5);
}

// Step 5: call all.
void notify_list_notify_all(NotifyList* /*list*/) {
  GORO_NOT_IMPLEMENTED(11, 5);
}

}  // namespace goro
