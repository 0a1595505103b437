// Looking for work, and going to sleep without missing any.
// contracts/work_stealing.h is the specification; this file is steps 3 and 4 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/work_stealing.h"

namespace goro {

// Step 3: three words change.
void become_spinning(M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(7, 3);
}

// Step 3: four rounds over the other Ps.
Stolen steal_work() {
  GORO_NOT_IMPLEMENTED(7, 3);
}

// Step 4: the last look, without a P.
P* check_runqs_no_p() {
  GORO_NOT_IMPLEMENTED(7, 4);
}

// Step 4: the seven points of the contract, in this order.
G* find_work_elsewhere() {
  GORO_NOT_IMPLEMENTED(7, 4);
}

// Step 3: counted out, and a successor woken.
void resetspinning() {
  GORO_NOT_IMPLEMENTED(7, 3);
}

}  // namespace goro
