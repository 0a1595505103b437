// Looking for work, and going to sleep without missing any.
// contracts/work_stealing.h is the specification; this file is step 3 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/work_stealing.h"

namespace goro {

void become_spinning(M* /*mp*/) {
  GORO_NOT_IMPLEMENTED(7, 3);
}

Stolen steal_work() {
  GORO_NOT_IMPLEMENTED(7, 3);
}

P* check_runqs_no_p() {
  GORO_NOT_IMPLEMENTED(7, 3);
}

G* find_work_elsewhere() {
  GORO_NOT_IMPLEMENTED(7, 3);
}

void resetspinning() {
  GORO_NOT_IMPLEMENTED(7, 3);
}

}  // namespace goro
