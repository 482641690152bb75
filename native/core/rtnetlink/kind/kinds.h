// What IFLA_INFO_DATA holds for each kind of link, one file a kind.
#pragma once

#include "core/netlink/schema.h"

namespace netlink_ct {

extern const Schema veth_schema;
extern const Schema bridge_schema;
extern const Schema bridge_port_schema;  // IFLA_INFO_SLAVE_DATA of a link whose master is a bridge
extern const Schema vlan_schema;
extern const Schema macvlan_schema;
extern const Schema ipvlan_schema;
extern const Schema vxlan_schema;
extern const Schema vrf_schema;
extern const Schema vrf_port_schema;  // IFLA_INFO_SLAVE_DATA of a link whose master is a VRF
extern const Schema tun_schema;
extern const Schema netkit_schema;

}  // namespace netlink_ct
