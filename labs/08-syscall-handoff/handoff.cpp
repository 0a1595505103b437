// A P that has lost its M: to another M if there is anything to do, else to the idle list.
// contracts/syscall.h is the specification; this file is step 4 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/syscall.h"

namespace goro {

// Step 4. Four cases, in the contract's order.
void handoffp(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(8, 4);
}

}  // namespace goro
