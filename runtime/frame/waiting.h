// The end of a run, for those who wait.
#pragma once

namespace goro {

// Gives every sudog of the run back. Nobody runs any more.
void sudogs_reset();

}  // namespace goro
