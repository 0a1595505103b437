// One switch between two goroutines, without a scheduler.
#pragma once

namespace goro::bars {

// Two goroutines that hand over to each other with goro_mcall and goro_gogo, `count` times.
// Nanoseconds for one hand-over.
double goroutine_switch_ns(long count);

}  // namespace goro::bars
