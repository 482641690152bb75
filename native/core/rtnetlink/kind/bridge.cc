// net/bridge/br_netlink.c: br_policy. Times are in USER_HZ, hundredths of a second.
#include <linux/if_bridge.h>
#include <linux/if_link.h>

#include <cstddef>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

// Since Linux 6.7: newer than some headers.
constexpr uint16_t fdb_max_learned = 49;

constexpr HeaderField switches[] = {
    {"values", offsetof(br_boolopt_multi, optval), 4},
    {"mask", offsetof(br_boolopt_multi, optmask), 4},
};
constexpr Schema switches_schema{{}, switches, sizeof(br_boolopt_multi)};

constexpr Attribute attributes[] = {
    {IFLA_BR_FORWARD_DELAY, Shape::u32, "forwardDelay", "IFLA_BR_FORWARD_DELAY"},
    {IFLA_BR_HELLO_TIME, Shape::u32, "helloTime", "IFLA_BR_HELLO_TIME"},
    {IFLA_BR_MAX_AGE, Shape::u32, "maxAge", "IFLA_BR_MAX_AGE"},
    {IFLA_BR_AGEING_TIME, Shape::u32, "ageingTime", "IFLA_BR_AGEING_TIME"},
    {IFLA_BR_STP_STATE, Shape::u32, "stp", "IFLA_BR_STP_STATE"},
    {IFLA_BR_PRIORITY, Shape::u16, "priority", "IFLA_BR_PRIORITY"},
    {IFLA_BR_ROOT_ID, Shape::bytes, "rootId", "IFLA_BR_ROOT_ID"},
    {IFLA_BR_BRIDGE_ID, Shape::bytes, "bridgeId", "IFLA_BR_BRIDGE_ID"},
    {IFLA_BR_ROOT_PORT, Shape::u16, "rootPort", "IFLA_BR_ROOT_PORT"},
    {IFLA_BR_ROOT_PATH_COST, Shape::u32, "rootPathCost", "IFLA_BR_ROOT_PATH_COST"},
    {IFLA_BR_VLAN_FILTERING, Shape::u8, "vlanFiltering", "IFLA_BR_VLAN_FILTERING"},
    {IFLA_BR_VLAN_PROTOCOL, Shape::be16, "vlanProtocol", "IFLA_BR_VLAN_PROTOCOL"},
    {IFLA_BR_VLAN_DEFAULT_PVID, Shape::u16, "vlanDefaultPvid", "IFLA_BR_VLAN_DEFAULT_PVID"},
    {IFLA_BR_VLAN_STATS_ENABLED, Shape::u8, "vlanStats", "IFLA_BR_VLAN_STATS_ENABLED"},
    {IFLA_BR_VLAN_STATS_PER_PORT, Shape::u8, "vlanStatsPerPort", "IFLA_BR_VLAN_STATS_PER_PORT"},
    {IFLA_BR_GROUP_FWD_MASK, Shape::u16, "groupForwardMask", "IFLA_BR_GROUP_FWD_MASK"},
    {IFLA_BR_GROUP_ADDR, Shape::mac, "groupAddress", "IFLA_BR_GROUP_ADDR"},
    {IFLA_BR_MCAST_ROUTER, Shape::u8, "multicastRouter", "IFLA_BR_MCAST_ROUTER"},
    {IFLA_BR_MCAST_SNOOPING, Shape::u8, "multicastSnooping", "IFLA_BR_MCAST_SNOOPING"},
    {IFLA_BR_MCAST_QUERY_USE_IFADDR, Shape::u8, "multicastQueryUseIfaddr", "IFLA_BR_MCAST_QUERY_USE_IFADDR"},
    {IFLA_BR_MCAST_QUERIER, Shape::u8, "multicastQuerier", "IFLA_BR_MCAST_QUERIER"},
    {IFLA_BR_MCAST_HASH_MAX, Shape::u32, "multicastHashMax", "IFLA_BR_MCAST_HASH_MAX"},
    {IFLA_BR_MCAST_LAST_MEMBER_CNT, Shape::u32, "multicastLastMemberCount", "IFLA_BR_MCAST_LAST_MEMBER_CNT"},
    {IFLA_BR_MCAST_STARTUP_QUERY_CNT, Shape::u32, "multicastStartupQueryCount", "IFLA_BR_MCAST_STARTUP_QUERY_CNT"},
    {IFLA_BR_MCAST_LAST_MEMBER_INTVL, Shape::u64, "multicastLastMemberInterval", "IFLA_BR_MCAST_LAST_MEMBER_INTVL"},
    {IFLA_BR_MCAST_MEMBERSHIP_INTVL, Shape::u64, "multicastMembershipInterval", "IFLA_BR_MCAST_MEMBERSHIP_INTVL"},
    {IFLA_BR_MCAST_QUERIER_INTVL, Shape::u64, "multicastQuerierInterval", "IFLA_BR_MCAST_QUERIER_INTVL"},
    {IFLA_BR_MCAST_QUERY_INTVL, Shape::u64, "multicastQueryInterval", "IFLA_BR_MCAST_QUERY_INTVL"},
    {IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, Shape::u64, "multicastQueryResponseInterval", "IFLA_BR_MCAST_QUERY_RESPONSE_INTVL"},
    {IFLA_BR_MCAST_STARTUP_QUERY_INTVL, Shape::u64, "multicastStartupQueryInterval", "IFLA_BR_MCAST_STARTUP_QUERY_INTVL"},
    {IFLA_BR_MCAST_STATS_ENABLED, Shape::u8, "multicastStats", "IFLA_BR_MCAST_STATS_ENABLED"},
    {IFLA_BR_MCAST_IGMP_VERSION, Shape::u8, "igmpVersion", "IFLA_BR_MCAST_IGMP_VERSION"},
    {IFLA_BR_MCAST_MLD_VERSION, Shape::u8, "mldVersion", "IFLA_BR_MCAST_MLD_VERSION"},
    {IFLA_BR_NF_CALL_IPTABLES, Shape::u8, "nfCallIptables", "IFLA_BR_NF_CALL_IPTABLES"},
    {IFLA_BR_NF_CALL_IP6TABLES, Shape::u8, "nfCallIp6tables", "IFLA_BR_NF_CALL_IP6TABLES"},
    {IFLA_BR_NF_CALL_ARPTABLES, Shape::u8, "nfCallArptables", "IFLA_BR_NF_CALL_ARPTABLES"},
    {IFLA_BR_MULTI_BOOLOPT, Shape::structure, "switches", "IFLA_BR_MULTI_BOOLOPT", &switches_schema},
    {fdb_max_learned, Shape::u32, "fdbMaxLearned", "IFLA_BR_FDB_MAX_LEARNED"},
};

}  // namespace

constinit const Schema bridge_schema{attributes};

}  // namespace netlink_ct
