// Taking half of another P's queue.
// contracts/work_stealing.h is the specification; this file is step 2 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/work_stealing.h"

namespace goro {

std::uint32_t runq_grab(P* /*victim*/, atomic<G*>* /*to*/, std::uint32_t /*at*/,
                        bool /*take_next*/) {
  GORO_NOT_IMPLEMENTED(7, 2);
}

G* runq_steal(P* /*pp*/, P* /*victim*/, bool /*take_next*/) {
  GORO_NOT_IMPLEMENTED(7, 2);
}

}  // namespace goro
