// A new goroutine's first frame, and the exception state that travels with it.
#include "contracts/context_switch.h"
#include "contracts/not_implemented.h"

namespace goro {

void gostartcall(Gobuf* /*buf*/, std::uintptr_t /*hi*/, void (*/*fn*/)()) {
  GORO_NOT_IMPLEMENTED(1, 5);
}

void save_exception_state(G* /*gp*/, M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(1, 6);
}

void restore_exception_state(G* /*gp*/, M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(1, 6);
}

}  // namespace goro
