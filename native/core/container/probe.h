// Whether a process of the host has a port that is to be published: it would go on listening, and hear nothing any more.
#pragma once

#include <vector>

#include "core/netlink/value.h"
#include "core/netns/home.h"

namespace netlink_ct {

struct HostPort {
  uint8_t protocol;  // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP
  Bytes address;     // 4 bytes or 16; all zero: any
  uint16_t port;
};

// EADDRINUSE of `bind`, with the position in `ports`, when one is taken. Asked by binding a socket of each in turn, which is
// closed at once and never listens. What the caller may not bind (EACCES below 1024) or nobody can is taken for free.
Result<void> require_free(Home& home, const Namespace& host, const std::vector<HostPort>& ports);

}  // namespace netlink_ct
