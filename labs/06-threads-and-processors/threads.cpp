// Starting, stopping and waking Ms.
// contracts/processors.h is the specification; this file is step 3 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/processors.h"

namespace goro {

void startm(P* /*pp*/, bool /*spinning*/) {
  GORO_NOT_IMPLEMENTED(6, 3);
}

void stopm() {
  GORO_NOT_IMPLEMENTED(6, 3);
}

void wakep() {
  GORO_NOT_IMPLEMENTED(6, 3);
}

}  // namespace goro
