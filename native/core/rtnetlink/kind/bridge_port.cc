// net/bridge/br_netlink.c: br_port_policy.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

// Since Linux 6.2 to 6.6: newer than some headers.
enum : uint16_t { mab = 40, multicast_max_groups = 42, neighbor_vlan_suppress = 43, backup_nexthop = 44 };

constexpr Attribute attributes[] = {
    {IFLA_BRPORT_STATE, Shape::u8, "state", "IFLA_BRPORT_STATE"},
    {IFLA_BRPORT_PRIORITY, Shape::u16, "priority", "IFLA_BRPORT_PRIORITY"},
    {IFLA_BRPORT_COST, Shape::u32, "cost", "IFLA_BRPORT_COST"},
    {IFLA_BRPORT_MODE, Shape::u8, "hairpin", "IFLA_BRPORT_MODE"},
    {IFLA_BRPORT_GUARD, Shape::u8, "guard", "IFLA_BRPORT_GUARD"},
    {IFLA_BRPORT_PROTECT, Shape::u8, "rootBlock", "IFLA_BRPORT_PROTECT"},
    {IFLA_BRPORT_FAST_LEAVE, Shape::u8, "fastLeave", "IFLA_BRPORT_FAST_LEAVE"},
    {IFLA_BRPORT_LEARNING, Shape::u8, "learning", "IFLA_BRPORT_LEARNING"},
    {IFLA_BRPORT_UNICAST_FLOOD, Shape::u8, "flood", "IFLA_BRPORT_UNICAST_FLOOD"},
    {IFLA_BRPORT_MCAST_FLOOD, Shape::u8, "multicastFlood", "IFLA_BRPORT_MCAST_FLOOD"},
    {IFLA_BRPORT_BCAST_FLOOD, Shape::u8, "broadcastFlood", "IFLA_BRPORT_BCAST_FLOOD"},
    {IFLA_BRPORT_MCAST_TO_UCAST, Shape::u8, "multicastToUnicast", "IFLA_BRPORT_MCAST_TO_UCAST"},
    {IFLA_BRPORT_MULTICAST_ROUTER, Shape::u8, "multicastRouter", "IFLA_BRPORT_MULTICAST_ROUTER"},
    {multicast_max_groups, Shape::u32, "multicastMaxGroups", "IFLA_BRPORT_MCAST_MAX_GROUPS"},
    {IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, Shape::u32, "multicastHostsLimit", "IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT"},
    {IFLA_BRPORT_PROXYARP, Shape::u8, "proxyArp", "IFLA_BRPORT_PROXYARP"},
    {IFLA_BRPORT_PROXYARP_WIFI, Shape::u8, "proxyArpWifi", "IFLA_BRPORT_PROXYARP_WIFI"},
    {IFLA_BRPORT_NEIGH_SUPPRESS, Shape::u8, "neighborSuppress", "IFLA_BRPORT_NEIGH_SUPPRESS"},
    {neighbor_vlan_suppress, Shape::u8, "neighborVlanSuppress", "IFLA_BRPORT_NEIGH_VLAN_SUPPRESS"},
    {IFLA_BRPORT_VLAN_TUNNEL, Shape::u8, "vlanTunnel", "IFLA_BRPORT_VLAN_TUNNEL"},
    {IFLA_BRPORT_GROUP_FWD_MASK, Shape::u16, "groupForwardMask", "IFLA_BRPORT_GROUP_FWD_MASK"},
    {IFLA_BRPORT_ISOLATED, Shape::u8, "isolated", "IFLA_BRPORT_ISOLATED"},
    {IFLA_BRPORT_LOCKED, Shape::u8, "locked", "IFLA_BRPORT_LOCKED"},
    {mab, Shape::u8, "mab", "IFLA_BRPORT_MAB"},
    {IFLA_BRPORT_BACKUP_PORT, Shape::u32, "backupPort", "IFLA_BRPORT_BACKUP_PORT"},
    {backup_nexthop, Shape::u32, "backupNexthop", "IFLA_BRPORT_BACKUP_NHID"},
};

}  // namespace

constinit const Schema bridge_port_schema{attributes};

}  // namespace netlink_ct
