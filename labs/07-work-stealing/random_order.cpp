// All numbers below n in an order that looks random, without an array of them.
// contracts/work_stealing.h is the specification; this file is step 1 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/work_stealing.h"

namespace goro {

RandomOrder stealorder;

void RandomOrder::Walk::next() {
  GORO_NOT_IMPLEMENTED(7, 1);
}

void RandomOrder::reset(std::uint32_t /*count*/) {
  GORO_NOT_IMPLEMENTED(7, 1);
}

RandomOrder::Walk RandomOrder::start(std::uint32_t /*random*/) const {
  GORO_NOT_IMPLEMENTED(7, 1);
}

}  // namespace goro
