#pragma once

namespace goro {

// The run has one P from here on, or has no longer (or has ended). While the world is stopped, or
// nobody runs.
void set_one_p(bool on);

}  // namespace goro
