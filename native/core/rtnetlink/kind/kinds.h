// What IFLA_INFO_DATA holds for each kind of link, one file a kind.
#pragma once

#include "core/netlink/schema.h"

namespace netlink_ct {

extern const Schema veth_schema;
extern const Schema bridge_schema;
extern const Schema bridge_port_schema;  // IFLA_INFO_SLAVE_DATA of a link whose master is a bridge

}  // namespace netlink_ct
