// The network poller, for the end of a run.
#pragma once

namespace goro {

// Closes every descriptor that was opened in this run and the epoll instance, and forgets who
// waited. Nobody runs any more, and no P has timers.
void netpoll_reset();

// What sockets there are is closed; handles may be left.
void sockets_reset();

}  // namespace goro
