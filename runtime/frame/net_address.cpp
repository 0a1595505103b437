// Addresses as text. All of it happens on g0: it is library code, and a goroutine's stack is small.
#include "frame/net_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "goro/system_call.h"
#include "goro/system_stack.h"

namespace goro {

namespace {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

// `HOST:PORT`, `[HOST]:PORT`, `:PORT`.
std::optional<HostPort> split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  HostPort out;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']' || host.size() < 2) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  out.host = host;
  return out;
}

[[noreturn]] void fail(std::errc error, const std::string& text) {
  throw std::system_error(std::make_error_code(error), text);
}

TcpAddress look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    fail(std::errc::address_not_available, "lookup " + host + ": " + gai_strerror(error));
  }
  const addrinfo* best = found;
  // As Go does: IPv4 if there is one.
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET) continue;
    best = at;
    break;
  }
  const TcpAddress address = TcpAddressAccess::from_system(best->ai_addr);
  freeaddrinfo(found);
  return address;
}

}  // namespace

bool TcpAddressAccess::parse_ip(const std::string& host, TcpAddress* to) {
  if (inet_pton(AF_INET, host.c_str(), to->ip_.data()) == 1) {
    to->v6_ = false;
    return true;
  }
  std::string ip = host;
  std::string scope;
  if (const std::size_t percent = host.find('%'); percent != std::string::npos) {
    ip = host.substr(0, percent);
    scope = host.substr(percent + 1);
  }
  if (inet_pton(AF_INET6, ip.c_str(), to->ip_.data()) != 1) return false;
  to->v6_ = true;
  if (!scope.empty()) to->scope_ = if_nametoindex(scope.c_str());
  return true;
}

socklen_t TcpAddressAccess::to_system(const TcpAddress& from, sockaddr_storage* to) {
  std::memset(to, 0, sizeof(*to));
  if (from.v6_) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(from.port_);
    v6.sin6_scope_id = from.scope_;
    std::memcpy(&v6.sin6_addr, from.ip_.data(), sizeof(v6.sin6_addr));
    std::memcpy(to, &v6, sizeof(v6));
    return sizeof(v6);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(from.port_);
  std::memcpy(&v4.sin_addr, from.ip_.data(), sizeof(v4.sin_addr));
  std::memcpy(to, &v4, sizeof(v4));
  return sizeof(v4);
}

TcpAddress TcpAddressAccess::from_system(const sockaddr* from) {
  TcpAddress to;
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof(v6));
    to.v6_ = true;
    to.port_ = ntohs(v6.sin6_port);
    to.scope_ = v6.sin6_scope_id;
    std::memcpy(to.ip_.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
  } else if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof(v4));
    to.port_ = ntohs(v4.sin_port);
    std::memcpy(to.ip_.data(), &v4.sin_addr, sizeof(v4.sin_addr));
  }
  return to;
}

std::string TcpAddressAccess::text(const TcpAddress& address) {
  char ip[INET6_ADDRSTRLEN] = "";
  inet_ntop(family(address), address.ip_.data(), ip, sizeof(ip));
  std::string text = ip;
  if (address.v6_) {
    if (address.scope_ != 0) {
      char name[IF_NAMESIZE] = "";
      text += '%';
      text += if_indextoname(address.scope_, name) != nullptr ? std::string(name)
                                                              : std::to_string(address.scope_);
    }
    text = '[' + text + ']';
  }
  return text + ':' + std::to_string(address.port_);
}

bool TcpAddressAccess::is_any(const TcpAddress& address) {
  return std::all_of(address.ip_.begin(), address.ip_.end(),
                     [](std::uint8_t byte) { return byte == 0; });
}

TcpAddress::TcpAddress(std::string_view text) {
  std::string host;  // a name, to be looked up
  on_system_stack([&] {
    const std::optional<HostPort> parts = split(text);
    if (!parts) {
      fail(std::errc::invalid_argument, "address \"" + std::string(text) + "\" is not HOST:PORT");
    }
    port_ = parts->port;
    if (parts->host.empty()) return;  // 0.0.0.0
    if (!TcpAddressAccess::parse_ip(parts->host, this)) host = parts->host;
  });
  if (host.empty()) return;
  const std::uint16_t port = port_;
  *this = system_call([&] { return look_up(host); });
  port_ = port;
}

std::string TcpAddress::text() const {
  return on_system_stack([&] { return TcpAddressAccess::text(*this); });
}

}  // namespace goro
