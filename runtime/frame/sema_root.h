// The end of a run, for semaphores.
#pragma once

namespace goro {

// Forgets whoever waits still. Between two runs.
void semtable_reset();

}  // namespace goro
