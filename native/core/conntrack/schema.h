// The messages of ctnetlink (linux/netfilter/nfnetlink_conntrack.h).
#pragma once

#include "core/netlink/schema.h"

namespace netlink_ct {

std::span<const MessageType> conntrack_messages();

// Bits of CTA_FILTER_ORIG_FLAGS and CTA_FILTER_REPLY_FLAGS: which members of the tuple are compared. The kernel keeps them in
// net/netfilter/nf_internals.h; they are part of its interface all the same (libnetfilter_conntrack repeats them too).
namespace conntrack_filter {
// CTA_FILTER and its members, since Linux 5.8: newer than some headers.
constexpr uint16_t attribute = 25;
constexpr uint16_t original_flags = 1;
constexpr uint16_t reply_flags = 2;
// CTA_STATUS_MASK, since Linux 5.15.
constexpr uint16_t status_mask = 26;

constexpr uint32_t ip_source = 1U << 0;
constexpr uint32_t ip_destination = 1U << 1;
constexpr uint32_t protocol = 1U << 3;
constexpr uint32_t source_port = 1U << 4;
constexpr uint32_t destination_port = 1U << 5;
}  // namespace conntrack_filter

}  // namespace netlink_ct
