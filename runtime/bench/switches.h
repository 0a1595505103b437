// One switch between two stacks: through the slot's functions, and through a bare one.
#pragma once

namespace goro::bars {

// Two goroutines that hand over to each other with goro_mcall and goro_gogo, `count` times, without
// a scheduler in between. Nanoseconds for one hand-over.
double goroutine_switch_ns(long count);

// The same two loops with goro_bare_switch.
double bare_switch_ns(long count);

}  // namespace goro::bars
