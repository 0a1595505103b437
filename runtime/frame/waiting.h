// The end of a run, for those who wait.
#pragma once

namespace goro {

// Is no thread outside making a goroutine runnable?
bool nobody_outside_readies();

// Gives every sudog of the run back. Nobody runs any more.
void sudogs_reset();

}  // namespace goro
