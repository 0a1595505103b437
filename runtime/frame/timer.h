// Timers, for channels and for the end of a run.
#pragma once

#include "contracts/model.h"

namespace goro {

struct Hchan;

// The last handle of a timer's channel is gone.
void timer_channel_freed(Hchan* c);

// Gives back what the timers in pp's heap hold. When every thread has left; before the goroutines'
// stacks go.
void timers_abandon(P* pp);

}  // namespace goro
