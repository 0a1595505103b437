// Keeping a goroutine on its thread.
#pragma once

namespace goro {

// From now on this goroutine runs on this thread only, and this thread runs nothing else, until
// unlock_os_thread was called as often. For libraries that keep state in the thread. A goroutine
// that ends while it is locked takes its thread with it (the thread of run() waits until run()
// returns). Throws Panic outside of goro::run. Go: runtime.LockOSThread.
void lock_os_thread();

// Without a lock_os_thread before: nothing. Go: runtime.UnlockOSThread.
void unlock_os_thread();

}  // namespace goro
