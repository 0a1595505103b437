// Those who wait: many at a time, and at the end of a run.
#pragma once

#include "contracts/model.h"

namespace goro {

// Makes parked goroutines runnable, and finds Ms for them. With a P: as many as there are idle Ps
// go to the GRQ and an M is started for each, the rest to this P's queue, and what does not fit
// there to the GRQ; wakep() at last. Without one: all to the GRQ. On g0, with no lock held, or by
// sysmon. Go: injectglist.
void injectglist(GQueue* parked);

// Has the caller no P, or none that is surely its own? A thread that is not the runtime's, or a
// system call.
bool is_outside();

// Is no thread outside making a goroutine runnable?
bool nobody_outside_readies();

// Gives every sudog of the run back. Nobody runs any more.
void sudogs_reset();

}  // namespace goro
