// Connections of an IPv6 address, forgotten one by one: the kernel's own filter compares IPv6 addresses the wrong way round (seen
// on Linux 6.18: it takes all connections but those of the address).
#pragma once

#include <cstdint>
#include <optional>

#include "core/netlink/socket.h"
#include "core/netlink/value.h"

namespace netlink_ct {

// Which end of which direction has the address.
enum class End : uint8_t {
  original_destination,  // who was called
  reply_source,          // who answers
};

struct Service {
  uint8_t protocol;
  uint16_t port;  // original destination
};

// Deletes the connections that have `address`, of 16 bytes, at `end`, and were made to `service`, when there is one. What goes in
// the meantime is no error.
Result<void> forget_ipv6(Socket& netfilter, End end, const Bytes& address, std::optional<Service> service = {});

}  // namespace netlink_ct
