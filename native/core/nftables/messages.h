// The message types of the nf_tables subsystem, for the table of everything this library speaks.
#pragma once

#include <span>

#include "core/netlink/schema.h"

namespace netlink_ct {

std::span<const MessageType> nftables_messages();

}  // namespace netlink_ct
