// What has happened to descriptors: epoll.
// contracts/netpoll.h is the specification; this file is steps 1 and 3 of this lab's README.
#include "contracts/netpoll.h"
#include "contracts/not_implemented.h"

namespace goro {

// Step 1: epoll, and the eventfd in it.
int netpoll_init() {
  GORO_NOT_IMPLEMENTED(13, 1);
}

// Step 1: is there one?
bool netpoll_inited() {
  GORO_NOT_IMPLEMENTED(13, 1);
}

// Step 1: closes both.
void netpoll_end() {
  GORO_NOT_IMPLEMENTED(13, 1);
}

// Step 1: fd is in epoll from now on.
int netpoll_open(int /*fd*/, PollDesc* /*pd*/) {
  GORO_NOT_IMPLEMENTED(13, 1);
}

// Step 1: and from now on not any more.
void netpoll_close(int /*fd*/) {
  GORO_NOT_IMPLEMENTED(13, 1);
}

// Step 3: a look, or a wait; and who can go on.
GQueue netpoll(std::int64_t /*delay*/, std::int32_t* /*count*/) {
  GORO_NOT_IMPLEMENTED(13, 3);
}

// Step 3: the eventfd is written to.
void netpoll_wake() {
  GORO_NOT_IMPLEMENTED(13, 3);
}

}  // namespace goro
