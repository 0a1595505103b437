// What the tests of this lab share: descriptors to look at, goroutines that wait for them, and an
// M's g0 to do it on.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/netpoll.h"
#include "contracts/timers.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/rings.h"
#include "testing/story.h"

namespace goro::testing {

// A time that no clock reaches.
inline constexpr std::int64_t kNever = kMaxWhen / 2;

// A side's word, as this lab calls it.
inline std::string word_of(const PollDesc& pd, PollMode mode) {
  const std::uintptr_t g = pd.sides[static_cast<int>(mode)].g.load();
  if (g == kPollNone) return "none";
  if (g == kPollReady) return "ready";
  if (g == kPollWait) return "wait";
  return "G" + std::to_string(reinterpret_cast<G*>(g)->goid);
}

// Nobody waits when the test begins, or after it.
struct NobodyWaits {
  NobodyWaits() { netpoll_waiters.store(0); }
  NobodyWaits(const NobodyWaits&) = delete;
  NobodyWaits& operator=(const NobodyWaits&) = delete;
  ~NobodyWaits() { netpoll_waiters.store(0); }
};

// An M on its g0, and a descriptor's words without a descriptor.
struct Words {
  FakeM m;
  NobodyWaits nobody;
  PollDesc pd;

  // A goroutine that is parked on that side.
  G* park(PollMode mode) { return park(pd, mode); }
  G* park(PollDesc& desc, PollMode mode) {
    G* gp = m.g(GStatus::waiting);
    desc.side(mode).g.store(reinterpret_cast<std::uintptr_t>(gp));
    netpoll_waiters.fetch_add(1);
    return gp;
  }

  // The ids of the goroutines that were made runnable.
  Ids woken() {
    Ids ids = ring_of(m.p());
    if (const G* next = m.p()->runnext.load(); next != nullptr) ids.push_back(next->goid);
    return ids;
  }
};

// Does it look as if an M slept in poll_until?
inline void somebody_sleeps_there() {
  sched.lastpoll.store(0);
  sched.poll_until.store(kMaxWhen);
  sched.poll_broken.store(0);
}

// The descriptors of this process that are open.
inline std::set<int> open_fds() {
  std::set<int> fds;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) fds.insert(fd);
  }
  return fds;
}

// Two ends of a stream that never block.
struct Ends {
  explicit Ends() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0)
        << "the test needs two sockets";
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    close_one(0);
    close_one(1);
  }
  void close_one(int which) {
    if (fds[which] >= 0) ::close(fds[which]);
    fds[which] = -1;
  }
  void send(int from) const {
    EXPECT_EQ(::write(fds[from], "x", 1), 1) << "the test needs to write to its socket";
  }
  int fds[2] = {-1, -1};
};

// An M on its g0 with an epoll instance of its own.
struct Poller : Words {
  Poller() : before(open_fds()) {
    EXPECT_EQ(netpoll_init(), 0) << "no epoll instance was made";
    wake_fd = find_wake_fd();
  }
  ~Poller() { netpoll_end(); }

  // A look, at once. The ids of those who can go on.
  Ids look() {
    std::int32_t count = -1;
    GQueue list = netpoll(0, &count);
    Ids ids;
    while (G* gp = list.pop()) {
      EXPECT_EQ(gp->atomicstatus.load(), static_cast<std::uint32_t>(GStatus::waiting))
          << "netpoll returns goroutines parked still; whoever called it makes them runnable";
      ids.push_back(gp->goid);
    }
    EXPECT_EQ(count, static_cast<std::int32_t>(ids.size()))
        << "*count must be the number of goroutines in the list";
    netpoll_waiters.fetch_sub(static_cast<std::int32_t>(ids.size()));
    return ids;
  }

  // Makes fd known as pd.
  void open(int fd, PollDesc* desc) {
    desc->fd = fd;
    EXPECT_EQ(netpoll_open(fd, desc), 0) << "epoll must take this descriptor";
  }
  void open(int fd) { open(fd, &pd); }

  // Of what netpoll_init has opened, the one that takes a write of eight bytes is the eventfd.
  int find_wake_fd() const {
    for (const int fd : open_fds()) {
      const std::uint64_t nothing = 0;
      if (before.count(fd) == 0 && ::write(fd, &nothing, sizeof(nothing)) == sizeof(nothing)) {
        return fd;
      }
    }
    return -1;
  }
  // Is there something in the eventfd?
  bool wake_is_pending() const {
    pollfd what{wake_fd, POLLIN, 0};
    return ::poll(&what, 1, 0) == 1;
  }

  std::set<int> before;
  int wake_fd = -1;
};

}  // namespace goro::testing
