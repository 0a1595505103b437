// The lists of those that have nothing to do, and how an M and a P come together.
// contracts/processors.h is the specification; this file is step 2 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/processors.h"

namespace goro {

void pidleput(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(6, 2);
}

P* pidleget() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

P* pidleget_spinning() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

void mput(M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(6, 2);
}

M* mget() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

void acquirep(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(6, 2);
}

P* releasep() {
  GORO_NOT_IMPLEMENTED(6, 2);
}

}  // namespace goro
