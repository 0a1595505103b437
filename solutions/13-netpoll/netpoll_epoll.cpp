// What has happened to descriptors: epoll. Go: netpoll_epoll.go.
//
// The instance belongs to a run. It is made when the first descriptor is opened, and a program that
// opens none sleeps on a futex as ever. A process that forks between two runs does not share it.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "contracts/netpoll.h"
#include "contracts/services/poller.h"

namespace goro {

namespace {

constexpr int kMostEvents = 128;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kLongestWait = 1'000'000'000;  // milliseconds

RuntimeMutex init_lock;
// Not points of a simulation: there is no network in one.
std::atomic<int> epoll_fd{-1};
std::atomic<int> wake_fd{-1};

// An event's data: the address of a PollDesc, whose upper 16 bits are 0, and 16 bits of its fdseq.
constexpr int kSeqBits = 16;
constexpr std::uint64_t kSeqMask = (std::uint64_t{1} << kSeqBits) - 1;

std::uint64_t data_of(const PollDesc* pd) {
  return reinterpret_cast<std::uintptr_t>(pd) << kSeqBits | (pd->fdseq.load() & kSeqMask);
}

// Null: of a former use.
PollDesc* desc_of(std::uint64_t data) {
  auto* pd = reinterpret_cast<PollDesc*>(data >> kSeqBits);
  return (pd->fdseq.load() & kSeqMask) == (data & kSeqMask) ? pd : nullptr;
}

// epoll_wait counts milliseconds; timers are more precise than that.
int wait_for_events(int fd, epoll_event* events, std::int64_t delay) {
#if defined(SYS_epoll_pwait2)
  static std::atomic<bool> is_known{true};
  if (delay > 0 && is_known.load(std::memory_order_relaxed)) {
    timespec timeout{};
    timeout.tv_sec = delay / kSecond;
    timeout.tv_nsec = delay % kSecond;
    const auto n = static_cast<int>(
        syscall(SYS_epoll_pwait2, fd, events, kMostEvents, &timeout, nullptr, std::size_t{0}));
    if (n >= 0 || errno == EINTR) return n;
    is_known.store(false, std::memory_order_relaxed);  // before Linux 5.11
  }
#endif
  int timeout = delay < 0 ? -1 : 0;
  if (delay > 0) {
    // Up: whoever woke too early would come back at once.
    const std::int64_t wait = delay / kMillisecond + 1;
    timeout = static_cast<int>(std::min(wait, kLongestWait));
  }
  return epoll_wait(fd, events, kMostEvents, timeout);
}

void take(PollDesc* pd, PollMode mode, GQueue* ready, std::int32_t* count) {
  G* gp = netpoll_unblock(pd, mode, true);
  if (gp == nullptr) return;
  ready->push_back(gp);
  ++*count;
}

int make_instance() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return errno;
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  if (wake < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, wake, &event) != 0) {
    const int error = errno;
    if (wake >= 0) ::close(wake);
    ::close(fd);
    return error;
  }
  wake_fd.store(wake);
  epoll_fd.store(fd);  // after wake_fd: whoever sees this one may write to that one
  poller_has_epoll();
  return 0;
}

}  // namespace

bool netpoll_inited() {
  return epoll_fd.load() >= 0;
}

int netpoll_init() {
  if (netpoll_inited()) return 0;
  init_lock.lock();
  const int error = netpoll_inited() ? 0 : make_instance();
  init_lock.unlock();
  return error;
}

void netpoll_end() {
  if (!netpoll_inited()) return;
  ::close(epoll_fd.load());
  ::close(wake_fd.load());
  epoll_fd.store(-1);
  wake_fd.store(-1);
}

int netpoll_open(int fd, PollDesc* pd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = data_of(pd);
  return epoll_ctl(epoll_fd.load(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void netpoll_close(int fd) {
  epoll_event event{};
  epoll_ctl(epoll_fd.load(), EPOLL_CTL_DEL, fd, &event);
}

GQueue netpoll(std::int64_t delay, std::int32_t* count) {
  GQueue ready;
  *count = 0;
  const int fd = epoll_fd.load();
  if (fd < 0) return ready;
  epoll_event events[kMostEvents];
  const int n = wait_for_events(fd, events, delay);
  for (int i = 0; i < n; ++i) {
    const std::uint64_t data = events[i].data.u64;
    const std::uint32_t what = events[i].events;
    if (data == 0) {
      std::uint64_t wakes = 0;
      if (delay != 0 && ::read(wake_fd.load(), &wakes, sizeof(wakes)) < 0) wakes = 0;
      continue;
    }
    PollDesc* pd = desc_of(data);
    if (pd == nullptr) continue;
    if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
      take(pd, PollMode::read, &ready, count);
    }
    if ((what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
      take(pd, PollMode::write, &ready, count);
    }
  }
  return ready;
}

void netpoll_wake() {
  const std::uint64_t one = 1;
  // It fails when the count is full: then it is not 0, and that is all that is wanted.
  while (::write(wake_fd.load(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

}  // namespace goro
