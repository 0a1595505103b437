// A count to wait for.
// contracts/sync.h is the specification; this file is step 1 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/sync.h"

namespace goro {

// Step 1: a count that is above 0, down by one.
bool cansemacquire(atomic<std::uint32_t>* /*addr*/) {
  GORO_NOT_IMPLEMENTED(11, 1);
}

// Step 1: down by one, or wait.
void semacquire1(atomic<std::uint32_t>* /*addr*/, bool /*lifo*/, WaitReason /*reason*/) {
  GORO_NOT_IMPLEMENTED(11, 1);
}

// Step 1: up by one, and wake one.
void semrelease1(atomic<std::uint32_t>* /*addr*/, bool /*handoff*/) {
  GORO_NOT_IMPLEMENTED(11, 1);
}

}  // namespace goro
