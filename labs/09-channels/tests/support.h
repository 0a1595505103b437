// What the tests of this lab share.
#pragma once

#include "testing/channels.h"
#include "testing/whole_slices.h"

namespace goro::testing {

// Every order that this lab's tests expect is one of goroutines that nobody interrupts.
inline const WholeSlices whole_slices;

}  // namespace goro::testing
