// A heap in which every entry has four children.
// contracts/timers.h is the specification; this file is step 1 of this lab's README.
#include "contracts/not_implemented.h"
#include "contracts/timers.h"

namespace goro {

// Step 1: up, past every parent that is later.
void Timers::sift_up(std::size_t /*i*/) {
  GORO_NOT_IMPLEMENTED(12, 1);
}

// Step 1: down, below the earliest of its children.
void Timers::sift_down(std::size_t /*i*/) {
  GORO_NOT_IMPLEMENTED(12, 1);
}

// Step 1: from the last parent to the first.
void Timers::init_heap() {
  GORO_NOT_IMPLEMENTED(12, 1);
}

// Step 1: in at the end, and up.
void Timers::add_heap(RuntimeTimer* /*t*/) {
  GORO_NOT_IMPLEMENTED(12, 1);
}

// Step 1: the last in place of the first, and down.
void Timers::delete_min() {
  GORO_NOT_IMPLEMENTED(12, 1);
}

// Step 3: only ever lower, with others who do the same.
void Timers::update_min_when_modified(std::int64_t /*when*/) {
  GORO_NOT_IMPLEMENTED(12, 3);
}

}  // namespace goro
