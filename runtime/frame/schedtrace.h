#pragma once

namespace goro {

// A run begins: its first line is due at once, and its clock is at 0.
void schedtrace_reset();

}  // namespace goro
