// TcpAddress and the system's addresses.
#pragma once

#include <sys/socket.h>

#include <string>

#include "goro/net.h"

namespace goro {

// On large stacks.
struct TcpAddressAccess {
  // Numbers only: `127.0.0.1`, `::1`. False: neither.
  static bool parse_ip(const std::string& host, TcpAddress* to);
  static socklen_t to_system(const TcpAddress& from, sockaddr_storage* to);
  static TcpAddress from_system(const sockaddr* from);
  static std::string text(const TcpAddress& address);
  static bool is_any(const TcpAddress& address);
  static int family(const TcpAddress& address) { return address.v6_ ? AF_INET6 : AF_INET; }
  static void set_port(TcpAddress* address, std::uint16_t port) { address->port_ = port; }
};

}  // namespace goro
