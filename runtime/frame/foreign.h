// Threads outside that may still ready a goroutine.
#pragma once

namespace goro {

// Does a goro::ForeignThread exist?
bool foreign_threads_exist();

}  // namespace goro
