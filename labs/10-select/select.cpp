// Select: three passes over the cases.
// contracts/select.h is the specification; this file is steps 1 to 4 of this lab's README.
#include "contracts/select.h"

#include "contracts/not_implemented.h"

namespace goro {

// Step 1: who may select, and the two orders. Step 2: all locks, and pass 1. Step 3: pass 2.
// Step 4: pass 3.
SelectResult selectgo(Scase* /*cases*/, std::uint16_t* /*order*/, int /*n*/, bool /*block*/) {
  GORO_NOT_IMPLEMENTED(10, 1);
}

}  // namespace goro
