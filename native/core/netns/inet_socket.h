// TCP and UDP sockets born inside a namespace, to be handed over to Node.
#pragma once

#include "core/netns/home.h"

namespace netlink_ct {

enum class Transport : uint8_t { tcp, udp };

struct InetAddress {
  std::vector<uint8_t> bytes;  // 4 or 16
  uint16_t port = 0;
};

// Non-blocking, close-on-exec; bound to `local` when `bound`, else unbound, for a connect. A bound TCP socket has SO_REUSEADDR,
// as Node's own have; an IPv6 one takes IPv4 too only when `dual`. `receive_buffer` in bytes, 0 for the kernel's usual one.
struct SocketRequest {
  Transport transport = Transport::tcp;
  InetAddress local;
  bool bound = true;
  bool dual = false;
  int receive_buffer = 0;
};

Result<Fd> open_inet_socket(Home& home, const Namespace& target, const SocketRequest& request);

}  // namespace netlink_ct
