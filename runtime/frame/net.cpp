// goro/net.h: sockets, between the system's calls and slot 13.
//
// The calls never block, so they are no system calls in the scheduler's sense: the goroutine hops
// to g0, where there is room, makes the call, and parks if it was told EAGAIN. The order is always
// poll_reset, call, poll_wait, call, …: an edge that comes after the call was made is kept.
#include "goro/net.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "contracts/getg.h"
#include "contracts/netpoll.h"
#include "contracts/services/goroutine.h"
#include "contracts/sync.h"
#include "frame/fd_lock.h"
#include "frame/net_address.h"
#include "frame/netpoll.h"
#include "goro/detail/park.h"
#include "goro/system_stack.h"

namespace goro {

namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "net"; }
  [[nodiscard]] std::string message(int error) const override {
    return error == static_cast<int>(NetError::closed) ? "use of closed network connection"
                                                       : "i/o timeout";
  }
  [[nodiscard]] std::error_condition default_error_condition(int error) const noexcept override {
    return std::make_error_condition(error == static_cast<int>(NetError::closed)
                                         ? std::errc::bad_file_descriptor
                                         : std::errc::timed_out);
  }
};

const Category category;

// As many as the system lets wait.
constexpr int kBacklog = 65535;
// Go: defaultTCPKeepAliveIdle, …Interval, in seconds.
constexpr int kKeepAlive = 15;
// A port that listens to nobody may be chosen as our own, and then we are connected to ourselves.
constexpr int kSelfConnects = 3;

}  // namespace

std::error_code make_error_code(NetError error) {
  return {static_cast<int>(error), category};
}

namespace detail {

class Socket {
 public:
  int fd = -1;
  PollDesc* pd = nullptr;
  FdLock lock;
  atomic<std::uint32_t> handles{1};
  atomic<std::uint32_t> closed{0};  // a permit, when the descriptor is closed
  TcpAddress local;
  TcpAddress remote;
  bool listens = false;
  Socket* next = nullptr;  // of all that are open
  Socket** from = nullptr;
};

}  // namespace detail

using detail::Socket;
using detail::SocketRef;

namespace {

RuntimeMutex sockets_lock;
Socket* sockets = nullptr;

// -- errors --

std::string between(const Socket* s) {
  if (s == nullptr) return "tcp";
  std::string text = "tcp " + TcpAddressAccess::text(s->local);
  if (!s->listens) text += "->" + TcpAddressAccess::text(s->remote);
  return text;
}

// On the system stack, where there is room; on_system_stack brings it to the goroutine.
[[noreturn, gnu::noinline, gnu::cold]] void throw_error(const char* what, const Socket* s,
                                                        int error, NetError ours) {
  on_system_stack([&] {
    const std::error_code code =
        error != 0 ? std::error_code(error, std::generic_category()) : make_error_code(ours);
    throw std::system_error(code, std::string(what) + ' ' + between(s));
  });
  __builtin_unreachable();
}

[[noreturn, gnu::noinline, gnu::cold]] void throw_error_at(const char* what,
                                                           const TcpAddress& address, int error) {
  on_system_stack([&] {
    throw std::system_error(std::error_code(error, std::generic_category()),
                            std::string(what) + " tcp " + TcpAddressAccess::text(address));
  });
  __builtin_unreachable();
}

[[noreturn]] void throw_errno(const char* what, const Socket* s, int error) {
  throw_error(what, s, error, NetError::closed);
}

[[noreturn]] void throw_closed(const char* what, const Socket* s) {
  throw_error(what, s, 0, NetError::closed);
}

void throw_if(PollError error, const char* what, const Socket* s) {
  if (error == PollError::none) return;
  throw_error(what, s, 0, error == PollError::closed ? NetError::closed : NetError::timeout);
}

// -- opening and closing --

// fd is the socket's from now on, closed if it cannot be. On g0. errno, or 0.
int socket_open(Socket* s, int fd) {
  if (const int error = poll_open(fd, &s->pd); error != 0) {
    ::close(fd);
    return error;
  }
  s->fd = fd;
  s->lock.open();
  sockets_lock.lock();
  s->next = sockets;
  s->from = &sockets;
  if (sockets != nullptr) sockets->from = &s->next;
  sockets = s;
  sockets_lock.unlock();
  return 0;
}

// The last use has ended after close().
void socket_destroy(Socket* s) {
  systemstack([&] {
    sockets_lock.lock();
    *s->from = s->next;
    if (s->next != nullptr) s->next->from = s->from;
    sockets_lock.unlock();
    poll_close(s->pd);
    ::close(s->fd);
  });
  semrelease1(&s->closed, false);
}

void socket_close(Socket* s) {
  if (s == nullptr || !s->lock.enter_and_close()) return;
  systemstack([&] { poll_unblock(s->pd); });
  if (s->lock.leave()) socket_destroy(s);
  // The port is free when close() returns.
  if (getg() != nullptr && !on_g0()) semacquire1(&s->closed, false, WaitReason::semacquire);
}

// Not to be closed while it lives.
class Use {
 public:
  Use(Socket* s, const char* what) : s_(s) {
    if (s == nullptr || !s->lock.enter()) throw_closed(what, s);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    if (s_->lock.leave()) socket_destroy(s_);
  }

 private:
  Socket* s_;
};

// The one reader, or writer, who tries and waits.
class Operation {
 public:
  Operation(Socket* s, PollMode mode, const char* what) : s_(s), mode_(mode), what_(what) {
    detail::current_goroutine();
    if (s == nullptr || !s->lock.lock(mode)) throw_closed(what, s);
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() {
    if (s_->lock.unlock(mode_)) socket_destroy(s_);
  }

  void begin() const { throw_if(poll_reset(s_->pd, mode_), what_, s_); }
  // Returns if there is reason to try again.
  void wait(int error) const {
    if (error != EAGAIN) throw_errno(what_, s_, error);
    throw_if(poll_wait(s_->pd, mode_), what_, s_);
  }

 private:
  Socket* s_;
  PollMode mode_;
  const char* what_;
};

// -- on g0 --

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

// Sockets that are accepted inherit these from the listener.
void set_tcp_options(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAlive);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAlive);
}

int new_socket(const TcpAddress& address) {
  const int fd = ::socket(TcpAddressAccess::family(address),
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd >= 0) set_tcp_options(fd);
  return fd;
}

using GetName = int (*)(int, sockaddr*, socklen_t*);

bool get_name(GetName get, int fd, TcpAddress* to) {
  sockaddr_storage name{};
  socklen_t length = sizeof(name);
  if (get(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return false;
  *to = TcpAddressAccess::from_system(reinterpret_cast<const sockaddr*>(&name));
  return true;
}

// *fd, and 0 or errno.
int start_listening(const TcpAddress& address, int* fd) {
  *fd = new_socket(address);
  if (*fd < 0) return errno;
  set_option(*fd, SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_storage name{};
  const socklen_t length = TcpAddressAccess::to_system(address, &name);
  if (::bind(*fd, reinterpret_cast<const sockaddr*>(&name), length) == 0 &&
      ::listen(*fd, kBacklog) == 0) {
    return 0;
  }
  const int error = errno;
  ::close(*fd);
  return error;
}

// *fd; 0: connected, EINPROGRESS: on the way, or errno.
int start_connecting(const TcpAddress& address, int* fd) {
  *fd = new_socket(address);
  if (*fd < 0) return errno;
  sockaddr_storage name{};
  const socklen_t length = TcpAddressAccess::to_system(address, &name);
  if (::connect(*fd, reinterpret_cast<const sockaddr*>(&name), length) == 0) return 0;
  if (errno == EINPROGRESS || errno == EINTR) return EINPROGRESS;
  const int error = errno;
  ::close(*fd);
  return error;
}

// 0: connected. EAGAIN: not yet. Else why not.
int connected(Socket* s) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  if (error == EINPROGRESS || error == EALREADY || error == EINTR) return EAGAIN;
  if (error != 0 && error != EISCONN) return error;
  if (get_name(getpeername, s->fd, &s->remote)) return 0;
  return errno == ENOTCONN ? EAGAIN : errno;
}

int accept_into(Socket* listener, Socket* s) {
  sockaddr_storage name{};
  int fd = -1;
  do {
    socklen_t length = sizeof(name);
    fd = accept4(listener->fd, reinterpret_cast<sockaddr*>(&name), &length,
                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    // Aborted: gone before it was taken. The next one.
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0) return errno;
  s->remote = TcpAddressAccess::from_system(reinterpret_cast<const sockaddr*>(&name));
  s->local = listener->local;
  if (TcpAddressAccess::is_any(s->local)) get_name(getsockname, fd, &s->local);
  return socket_open(s, fd);
}

template <typename Call>
ssize_t again_if_interrupted(Call call, int* error) {
  for (;;) {
    const ssize_t n = call();
    if (n >= 0) return n;
    *error = errno;
    if (*error != EINTR) return n;
  }
}

// Null after kSelfConnects: it was connected to itself.
SocketRef try_to_connect(const TcpAddress& address) {
  SocketRef ref(new Socket);
  Socket* s = ref.get();
  int error = 0;
  systemstack([&] {
    int fd = -1;
    error = start_connecting(address, &fd);
    if (error != 0 && error != EINPROGRESS) return;
    if (const int failed = socket_open(s, fd); failed != 0) error = failed;
  });
  if (error != 0 && error != EINPROGRESS) throw_error_at("dial", address, error);
  s->remote = address;
  const Operation writing(s, PollMode::write, "dial");
  if (error != 0) throw_if(poll_wait(s->pd, PollMode::write), "dial", s);
  for (;;) {
    systemstack([&] { error = connected(s); });
    if (error == 0) break;
    if (error != EAGAIN) throw_error_at("dial", address, error);
    throw_if(poll_wait(s->pd, PollMode::write), "dial", s);
  }
  systemstack([&] { get_name(getsockname, s->fd, &s->local); });
  if (s->local == s->remote) return {};
  return ref;
}

void set_deadline_of(Socket* s, time_point when, bool read, bool write) {
  detail::current_goroutine();
  const Use use(s, "set deadline");
  std::int64_t at = detail::nanoseconds_of(when.time_since_epoch());
  if (at < 0) at = kDeadlinePassed;
  systemstack([&] {
    if (read) poll_set_deadline(s->pd, PollMode::read, at);
    if (write) poll_set_deadline(s->pd, PollMode::write, at);
  });
}

bool is_ready(int fd, PollMode mode, int* error) {
  pollfd look{fd, static_cast<short>(mode == PollMode::read ? POLLIN | POLLRDHUP : POLLOUT), 0};
  const int n = ::poll(&look, 1, 0);
  if (n > 0 && (look.revents & POLLNVAL) != 0) *error = EBADF;
  return n > 0;
}

// A copy of the descriptor goes to epoll: the same one may be there already, and may be closed
// meanwhile.
void wait_for(int fd, PollMode mode, const char* what) {
  detail::current_goroutine();
  int error = 0;
  bool ready = false;
  int copy = -1;
  PollDesc* pd = nullptr;
  systemstack([&] {
    ready = is_ready(fd, mode, &error);
    if (ready) return;
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    error = copy < 0 ? errno : poll_open(copy, &pd);
    if (error != 0 && copy >= 0) ::close(copy);
  });
  if (error == 0 && !ready) {
    do {
      poll_wait(pd, mode);
      systemstack([&] { ready = is_ready(copy, mode, &error); });
    } while (!ready);
    systemstack([&] {
      poll_unblock(pd);
      poll_close(pd);
      ::close(copy);
    });
  }
  if (error == 0) return;
  on_system_stack(
      [&] { throw std::system_error(std::error_code(error, std::generic_category()), what); });
}

}  // namespace

namespace detail {

void socket_hold(Socket* s) {
  s->handles.fetch_add(1, std::memory_order_relaxed);
}

void socket_drop(Socket* s) {
  if (s->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  socket_close(s);
  delete s;
}

}  // namespace detail

void sockets_reset() {
  while (sockets != nullptr) {
    Socket* s = sockets;
    sockets = s->next;
    s->lock.abandon();  // netpoll_reset closes the descriptor
  }
}

TcpStream TcpStream::connect(const TcpAddress& address) {
  detail::current_goroutine();
  for (int i = 0; i < kSelfConnects; ++i) {
    if (SocketRef ref = try_to_connect(address); ref.get() != nullptr) {
      TcpStream stream;
      stream.socket_ = std::move(ref);
      return stream;
    }
  }
  throw_error_at("dial", address, ECONNREFUSED);
}

// [read]
std::size_t TcpStream::read(std::span<std::byte> buffer) const {
  Socket* s = socket_.get();
  const Operation reading(s, PollMode::read, "read");
  if (buffer.empty()) return 0;
  reading.begin();
  for (;;) {
    ssize_t n = 0;
    int error = 0;
    systemstack([&] {
      n = again_if_interrupted([&] { return ::recv(s->fd, buffer.data(), buffer.size(), 0); },
                               &error);
    });
    if (n >= 0) return static_cast<std::size_t>(n);
    reading.wait(error);
  }
}
// [/read]

std::size_t TcpStream::write(std::span<const std::byte> bytes) const {
  Socket* s = socket_.get();
  const Operation writing(s, PollMode::write, "write");
  writing.begin();
  std::size_t written = 0;
  while (written < bytes.size()) {
    ssize_t n = 0;
    int error = 0;
    systemstack([&] {
      // No SIGPIPE when the other side is gone: an error.
      n = again_if_interrupted(
          [&] {
            return ::send(s->fd, bytes.data() + written, bytes.size() - written, MSG_NOSIGNAL);
          },
          &error);
    });
    if (n >= 0) {
      written += static_cast<std::size_t>(n);
    } else {
      writing.wait(error);
    }
  }
  return written;
}

void TcpStream::close() const {
  socket_close(socket_.get());
}

void TcpStream::close_write() const {
  Socket* s = socket_.get();
  const Use use(s, "close");
  int error = 0;
  systemstack([&] {
    if (::shutdown(s->fd, SHUT_WR) != 0) error = errno;
  });
  if (error != 0) throw_errno("close", s, error);
}

TcpAddress TcpStream::local_address() const {
  return socket_.get() == nullptr ? TcpAddress() : socket_.get()->local;
}

TcpAddress TcpStream::remote_address() const {
  return socket_.get() == nullptr ? TcpAddress() : socket_.get()->remote;
}

void TcpStream::set_deadline(time_point when) const {
  set_deadline_of(socket_.get(), when, true, true);
}

void TcpStream::set_read_deadline(time_point when) const {
  set_deadline_of(socket_.get(), when, true, false);
}

void TcpStream::set_write_deadline(time_point when) const {
  set_deadline_of(socket_.get(), when, false, true);
}

TcpListener TcpListener::listen(const TcpAddress& address) {
  detail::current_goroutine();
  auto* s = new Socket;
  s->listens = true;
  s->local = address;
  TcpListener listener{s};
  int error = 0;
  systemstack([&] {
    int fd = -1;
    error = start_listening(address, &fd);
    if (error == 0) {
      get_name(getsockname, fd, &s->local);
      error = socket_open(s, fd);
    }
  });
  if (error != 0) throw_error_at("listen", address, error);
  return listener;
}

TcpStream TcpListener::accept() const {
  Socket* listener = socket_.get();
  const Operation accepting(listener, PollMode::read, "accept");
  TcpStream stream{new Socket};
  Socket* s = stream.socket_.get();
  accepting.begin();
  for (;;) {
    int error = 0;
    systemstack([&] { error = accept_into(listener, s); });
    if (error == 0) break;
    accepting.wait(error);
  }
  return stream;
}

TcpAddress TcpListener::address() const {
  return socket_.get() == nullptr ? TcpAddress() : socket_.get()->local;
}

void TcpListener::close() const {
  socket_close(socket_.get());
}

void TcpListener::set_deadline(time_point when) const {
  set_deadline_of(socket_.get(), when, true, false);
}

void wait_readable(int fd) {
  wait_for(fd, PollMode::read, "wait_readable");
}

void wait_writable(int fd) {
  wait_for(fd, PollMode::write, "wait_writable");
}

}  // namespace goro
