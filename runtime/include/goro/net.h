// TCP. Whoever waits for the other side parks its goroutine, and never the thread.
//
//   const TcpListener listener = TcpListener::listen("127.0.0.1:8080");
//   for (;;) {
//     go([stream = listener.accept()] { … stream.read(buffer) … stream.write(answer) … });
//   }
//
// TcpListener and TcpStream are handles: copies refer to the same connection, which is closed by
// close() or with the last handle. One goroutine may read while another writes; of several that
// read (or write) one goes on after the other, so nothing that is written is mixed up.
//
// Errors are std::system_error, whose text says what failed, and between whom. A program with more
// connections than descriptors gets std::errc::too_many_files_open; a listener that has failed so
// can go on accepting. What is open when run() returns is closed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "goro/time.h"

namespace goro {

// What the network's operations fail with beside the system's own errors; as a std::error_code,
// `use of closed network connection` and `i/o timeout`. They equal
// std::errc::bad_file_descriptor and std::errc::timed_out. Go: net.ErrClosed,
// os.ErrDeadlineExceeded.
enum class NetError { closed = 1, timeout = 2 };
std::error_code make_error_code(NetError error);

// An address of TCP, which converts to text and from it: `127.0.0.1:80`, `[::1]:80`, `:80` (any
// address of this machine), `localhost:80`. Names are looked up (which may block, as a
// system_call). Go: net.TCPAddr.
class TcpAddress {
 public:
  TcpAddress() = default;
  // Throws std::system_error: std::errc::invalid_argument if it is not of the form HOST:PORT,
  // std::errc::address_not_available if the name is not known.
  TcpAddress(std::string_view text);
  TcpAddress(const std::string& text) : TcpAddress(std::string_view(text)) {}
  TcpAddress(const char* text) : TcpAddress(std::string_view(text)) {}

  [[nodiscard]] std::string text() const;
  operator std::string() const { return text(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  friend bool operator==(const TcpAddress&, const TcpAddress&) = default;
  template <typename Char, typename Traits>
  friend std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out,
                                                      const TcpAddress& address) {
    return out << address.text();
  }

 private:
  friend struct TcpAddressAccess;

  std::array<std::uint8_t, 16> ip_{};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  bool v6_ = false;
};

namespace detail {

class Socket;

void socket_hold(Socket* socket);
void socket_drop(Socket* socket);

class SocketRef {
 public:
  SocketRef() = default;
  // Takes over a count.
  explicit SocketRef(Socket* socket) : socket_(socket) {}
  SocketRef(const SocketRef& other) : socket_(other.socket_) {
    if (socket_ != nullptr) socket_hold(socket_);
  }
  SocketRef(SocketRef&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
  SocketRef& operator=(SocketRef other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~SocketRef() {
    if (socket_ != nullptr) socket_drop(socket_);
  }
  [[nodiscard]] Socket* get() const { return socket_; }

 private:
  Socket* socket_ = nullptr;
};

}  // namespace detail

// Everything throws Panic outside of goro::run, but the destructor.
class TcpStream {
 public:
  // No connection: it is closed.
  TcpStream() = default;

  // Connects. Go: net.Dial.
  static TcpStream connect(const TcpAddress& address);

  // Waits until there is something to read, and returns how much it has read; 0 at the end of what
  // the other side sends (or for an empty buffer). Go: Conn.Read.
  std::size_t read(std::span<std::byte> buffer) const;
  // Writes all, and returns how much that is. Go: Conn.Write.
  std::size_t write(std::span<const std::byte> bytes) const;

  // Whoever reads or writes fails with NetError::closed, now and later. A second time: nothing. Go:
  // Conn.Close.
  void close() const;
  // Nothing more will be sent: the other side reads to the end. Go: TCPConn.CloseWrite.
  void close_write() const;

  [[nodiscard]] TcpAddress local_address() const;
  [[nodiscard]] TcpAddress remote_address() const;

  // Reads and writes fail with NetError::timeout once that time has passed, those that wait already
  // and later ones, until another is set. {}: never. Go: Conn.SetDeadline.
  void set_deadline(time_point when) const;
  void set_read_deadline(time_point when) const;
  void set_write_deadline(time_point when) const;

 private:
  friend class TcpListener;
  explicit TcpStream(detail::Socket* socket) : socket_(socket) {}

  detail::SocketRef socket_;
};

class TcpListener {
 public:
  TcpListener() = default;

  // Port 0: any that is free; address() tells. Go: net.Listen.
  static TcpListener listen(const TcpAddress& address);

  // The next connection. Go: Listener.Accept.
  [[nodiscard]] TcpStream accept() const;
  [[nodiscard]] TcpAddress address() const;
  void close() const;
  // For accept. Go: TCPListener.SetDeadline.
  void set_deadline(time_point when) const;

 private:
  explicit TcpListener(detail::Socket* socket) : socket_(socket) {}

  detail::SocketRef socket_;
};

// Parks the goroutine until fd, anything that epoll takes, can be read or written without blocking,
// or its other end is gone. What never blocks (a regular file) is ready at once. A later read may
// find that somebody else was quicker: it should be one that does not block.
void wait_readable(int fd);
void wait_writable(int fd);

}  // namespace goro

template <>
struct std::is_error_code_enum<goro::NetError> : std::true_type {};
