#include "core/netns/inet_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace netlink_ct {
namespace {

Result<void> bind_to(int fd, const InetAddress& local) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (local.bytes.size() == 16) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(local.port);
    std::memcpy(&address.sin6_addr, local.bytes.data(), sizeof address.sin6_addr);
    std::memcpy(&storage, &address, length = sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(local.port);
    std::memcpy(&address.sin_addr, local.bytes.data(), sizeof address.sin_addr);
    std::memcpy(&storage, &address, length = sizeof address);
  }
  if (bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) return system_error("bind");
  return {};
}

Result<Fd> open_here(const SocketRequest& request) {
  const bool six = request.local.bytes.size() == 16;
  const int type = request.transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd fd(::socket(six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_error("socket");
  if (!request.bound) return fd;
  const int on = 1;
  const int only = request.dual ? 0 : 1;
  if (request.transport == Transport::tcp && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return system_error("setsockopt", "SO_REUSEADDR");
  }
  if (six && setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0)
    return system_error("setsockopt", "IPV6_V6ONLY");
  // Above net.core.rmem_max only with CAP_NET_ADMIN in the initial user namespace; without, as much as it allows.
  if (const int size = request.receive_buffer;
      size > 0 && setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  if (auto bound = bind_to(fd.get(), request.local); !bound) return bound.error();
  return fd;
}

}  // namespace

Result<Fd> open_inet_socket(Home& home, const Namespace& target, const SocketRequest& request) {
  Result<Fd> opened = Error{};
  auto visited = home.visit(target, [&] { opened = open_here(request); });
  if (!visited) return visited.error();
  return opened;
}

}  // namespace netlink_ct
