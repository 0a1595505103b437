// For tests that expect an exact order at one P: while it lives, no goroutine is asked to give way
// because its time slice is over. On a busy machine, or an emulated one, a test's goroutine may
// well need longer than a slice, and whoever gives way runs later than the test says.
#pragma once

#include "frame/settings.h"

namespace goro::testing {

class WholeSlices {
 public:
  WholeSlices() { settings_preemptoff(true); }
  ~WholeSlices() { settings_preemptoff(false); }
  WholeSlices(const WholeSlices&) = delete;
  WholeSlices& operator=(const WholeSlices&) = delete;
};

}  // namespace goro::testing
