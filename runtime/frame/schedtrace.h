#pragma once

namespace goro {

// A run begins: its first line is due at once, and says 0 ms.
void schedtrace_reset();

}  // namespace goro
