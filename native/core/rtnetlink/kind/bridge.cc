// net/bridge/br_netlink.c: br_policy and br_port_policy. Times are in USER_HZ, hundredths of a second.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

constexpr Attribute bridge[] = {
    {IFLA_BR_FORWARD_DELAY, Shape::u32, "forwardDelay", "IFLA_BR_FORWARD_DELAY"},
    {IFLA_BR_HELLO_TIME, Shape::u32, "helloTime", "IFLA_BR_HELLO_TIME"},
    {IFLA_BR_MAX_AGE, Shape::u32, "maxAge", "IFLA_BR_MAX_AGE"},
    {IFLA_BR_AGEING_TIME, Shape::u32, "ageingTime", "IFLA_BR_AGEING_TIME"},
    {IFLA_BR_STP_STATE, Shape::u32, "stpState", "IFLA_BR_STP_STATE"},
    {IFLA_BR_PRIORITY, Shape::u16, "priority", "IFLA_BR_PRIORITY"},
    {IFLA_BR_VLAN_FILTERING, Shape::u8, "vlanFiltering", "IFLA_BR_VLAN_FILTERING"},
    {IFLA_BR_VLAN_PROTOCOL, Shape::be16, "vlanProtocol", "IFLA_BR_VLAN_PROTOCOL"},
    {IFLA_BR_VLAN_DEFAULT_PVID, Shape::u16, "vlanDefaultPvid", "IFLA_BR_VLAN_DEFAULT_PVID"},
    {IFLA_BR_VLAN_STATS_ENABLED, Shape::u8, "vlanStatsEnabled", "IFLA_BR_VLAN_STATS_ENABLED"},
    {IFLA_BR_GROUP_FWD_MASK, Shape::u16, "groupForwardMask", "IFLA_BR_GROUP_FWD_MASK"},
    {IFLA_BR_GROUP_ADDR, Shape::mac, "groupAddress", "IFLA_BR_GROUP_ADDR"},
    {IFLA_BR_MCAST_ROUTER, Shape::u8, "multicastRouter", "IFLA_BR_MCAST_ROUTER"},
    {IFLA_BR_MCAST_SNOOPING, Shape::u8, "multicastSnooping", "IFLA_BR_MCAST_SNOOPING"},
    {IFLA_BR_MCAST_QUERIER, Shape::u8, "multicastQuerier", "IFLA_BR_MCAST_QUERIER"},
    {IFLA_BR_MCAST_HASH_MAX, Shape::u32, "multicastHashMax", "IFLA_BR_MCAST_HASH_MAX"},
    {IFLA_BR_NF_CALL_IPTABLES, Shape::u8, "nfCallIptables", "IFLA_BR_NF_CALL_IPTABLES"},
    {IFLA_BR_NF_CALL_IP6TABLES, Shape::u8, "nfCallIp6tables", "IFLA_BR_NF_CALL_IP6TABLES"},
    {IFLA_BR_NF_CALL_ARPTABLES, Shape::u8, "nfCallArptables", "IFLA_BR_NF_CALL_ARPTABLES"},
};

constexpr Attribute port[] = {
    {IFLA_BRPORT_STATE, Shape::u8, "state", "IFLA_BRPORT_STATE"},
    {IFLA_BRPORT_PRIORITY, Shape::u16, "priority", "IFLA_BRPORT_PRIORITY"},
    {IFLA_BRPORT_COST, Shape::u32, "cost", "IFLA_BRPORT_COST"},
    {IFLA_BRPORT_MODE, Shape::u8, "hairpin", "IFLA_BRPORT_MODE"},
    {IFLA_BRPORT_GUARD, Shape::u8, "guard", "IFLA_BRPORT_GUARD"},
    {IFLA_BRPORT_PROTECT, Shape::u8, "rootBlock", "IFLA_BRPORT_PROTECT"},
    {IFLA_BRPORT_FAST_LEAVE, Shape::u8, "fastLeave", "IFLA_BRPORT_FAST_LEAVE"},
    {IFLA_BRPORT_LEARNING, Shape::u8, "learning", "IFLA_BRPORT_LEARNING"},
    {IFLA_BRPORT_UNICAST_FLOOD, Shape::u8, "flood", "IFLA_BRPORT_UNICAST_FLOOD"},
    {IFLA_BRPORT_PROXYARP, Shape::u8, "proxyArp", "IFLA_BRPORT_PROXYARP"},
    {IFLA_BRPORT_MCAST_FLOOD, Shape::u8, "multicastFlood", "IFLA_BRPORT_MCAST_FLOOD"},
    {IFLA_BRPORT_BCAST_FLOOD, Shape::u8, "broadcastFlood", "IFLA_BRPORT_BCAST_FLOOD"},
    {IFLA_BRPORT_NEIGH_SUPPRESS, Shape::u8, "neighborSuppress", "IFLA_BRPORT_NEIGH_SUPPRESS"},
    {IFLA_BRPORT_ISOLATED, Shape::u8, "isolated", "IFLA_BRPORT_ISOLATED"},
};

}  // namespace

constinit const Schema bridge_schema{bridge};
constinit const Schema bridge_port_schema{port};

}  // namespace netlink_ct
