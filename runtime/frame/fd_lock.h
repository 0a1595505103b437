// Who may use a descriptor, and when its number is given back. Go: internal/poll/fd_mutex.go.
//
// A number that is closed while somebody uses it may be another connection's at once. So every use
// is counted, and the descriptor is closed by whoever ends the last use after close() was called.
// Besides, there is one reader and one writer at a time.
#pragma once

#include <cstdint>

#include "contracts/atomic.h"
#include "contracts/netpoll.h"

namespace goro {

// By goroutines, but for what says otherwise. Closed until open() is called.
class FdLock {
 public:
  // There is a descriptor now. Before anybody else knows of it.
  void open();
  // A use that neither reads nor writes. False: closed. Any thread. Go: incref.
  bool enter();
  // Ends it. True: it was the last use, and it is closed: the caller closes the descriptor. Go:
  // decref.
  bool leave();
  // No use begins after this, and whoever waits in lock() gives up. False: was closed already. Else
  // a use of the caller's own has begun. Any thread. Go: increfAndClose.
  bool enter_and_close();

  // A use by the one who reads, or writes. Waits for the one before. False: closed. Go: rwlock.
  bool lock(PollMode mode);
  // Ends it; as leave(). Go: rwunlock.
  bool unlock(PollMode mode);

  // Closed, whoever uses it. When nobody runs any more.
  void abandon();

 private:
  // closed (1) | reader (1) | writer (1) | uses (20) | waiting readers (20) | waiting writers (20)
  atomic<std::uint64_t> state_{1};
  atomic<std::uint32_t> turns_[2]{};
};

}  // namespace goro
