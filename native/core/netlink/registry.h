// Which message types there are: their names, numbers and schemas, over both protocols.
#pragma once

#include "core/netlink/schema.h"

namespace netlink_ct {

// nullptr when this library does not speak it.
const MessageType* message_type(std::string_view name);
const MessageType* message_type(int protocol, uint16_t number);

}  // namespace netlink_ct
