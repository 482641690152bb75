#include "core/container/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace netlink_ct {
namespace {

void turn_on(int fd, int level, int option) {
  const int on = 1;
  static_cast<void>(
      setsockopt(fd, level, option, &on, sizeof on));  // without it the bind is refused, for a reason that does not count
}

// 0 when the bind was taken.
int refusal_of_bind(int fd, const HostPort& wanted) {
  int refused = 0;
  if (wanted.address.size() == 16) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(wanted.port);
    std::memcpy(&address.sin6_addr, wanted.address.data(), sizeof address.sin6_addr);
    refused = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted.port);
    std::memcpy(&address.sin_addr, wanted.address.data(), sizeof address.sin_addr);
    refused = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  return refused == 0 ? 0 : errno;
}

Result<bool> is_taken(const HostPort& wanted) {
  const bool six = wanted.address.size() == 16;
  const int type = wanted.protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
  const Fd fd(::socket(six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, wanted.protocol));
  if (!fd) {
    // Nobody has a socket of that kind.
    if (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ESOCKTNOSUPPORT) return false;
    return system_error("socket");
  }
  // Of TCP: connections that have ended (TIME_WAIT) keep nobody off, who listens does. Of UDP it would let two share a port.
  if (wanted.protocol == IPPROTO_TCP) turn_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (six) turn_on(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  // An address that the host may get later.
  turn_on(fd.get(), six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_FREEBIND : IP_FREEBIND);
  return refusal_of_bind(fd.get(), wanted) == EADDRINUSE;
}

// Nothing is published on ::1, so who has the port only there keeps it. A second look then tells that from who has it on all
// addresses; who has it on ::1 and on another one is taken for the former.
Result<bool> is_taken_on_loopback_only(const HostPort& wanted) {
  HostPort elsewhere = wanted;
  elsewhere.address = Bytes(16);
  elsewhere.address.back() = 1;
  auto taken = is_taken(elsewhere);
  if (!taken || !taken.value()) return taken;
  elsewhere.address.front() = 1;  // 100::1, which nobody has (RFC 6666)
  taken = is_taken(elsewhere);
  if (!taken) return taken;
  return !taken.value();
}

Result<void> require_free_here(const HostPort& wanted) {
  auto taken = is_taken(wanted);
  if (!taken) return taken.error();
  if (!taken.value()) return {};
  if (wanted.address == Bytes(16)) {
    auto harmless = is_taken_on_loopback_only(wanted);
    if (!harmless) return harmless.error();
    if (harmless.value()) return {};
  }
  return Error{.code = EADDRINUSE, .syscall = "bind", .step = "publish a port", .extack = {}, .attribute = {}};
}

}  // namespace

Result<void> require_free(Home& home, const Namespace& host, const std::vector<HostPort>& ports) {
  if (ports.empty()) return {};
  Result<void> done;
  auto visited = home.visit(host, [&] {
    for (size_t at = 0; at < ports.size(); ++at) {
      done = require_free_here(ports[at]);
      if (done) continue;
      done.error().index = static_cast<int>(at);
      return;
    }
  });
  return visited ? done : visited;
}

}  // namespace netlink_ct
