// Growing, moving and shrinking a stack. contracts/stack.h is the specification.
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/not_implemented.h"
#include "contracts/services/exceptions.h"
#include "contracts/services/fatal.h"
#include "contracts/services/options.h"
#include "contracts/services/scheduling.h"
#include "contracts/services/stackcheck.h"
#include "contracts/stack.h"

namespace goro {

extern "C" void goro_newstack_m(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(3, 5);
}

std::size_t adjust_pointers(std::uintptr_t /*from*/, std::uintptr_t /*to*/, Stack /*old*/,
                            std::uintptr_t /*distance*/) {
  GORO_NOT_IMPLEMENTED(3, 3);
}

void copystack(G* /*gp*/, std::size_t /*size*/) {
  GORO_NOT_IMPLEMENTED(3, 4);
}

void newstack(G* /*gp*/, std::size_t /*bytes*/, bool /*foreign*/) {
  GORO_NOT_IMPLEMENTED(3, 5);
}

bool shrinkstack(G* /*gp*/) {
  GORO_NOT_IMPLEMENTED(3, 7);
}

}  // namespace goro
