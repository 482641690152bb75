// net/bridge/br_vlan.c: br_vlan_db_policy, br_vlan_db_dump_pol, br_vlan_fill_vids.
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

// Since Linux 6.2 and 6.4: newer than some headers.
enum : uint16_t { max_groups = 8, neighbor_suppress = 9 };

constexpr HeaderField header[] = {
    {"family", offsetof(br_vlan_msg, family), 1},
    {"index", offsetof(br_vlan_msg, ifindex), 4},
};

constexpr HeaderField info[] = {
    {"flags", offsetof(bridge_vlan_info, flags), 2},
    {"id", offsetof(bridge_vlan_info, vid), 2},
};
constexpr Schema info_schema{{}, info, sizeof(bridge_vlan_info)};

constexpr Attribute entry[] = {
    {BRIDGE_VLANDB_ENTRY_INFO, Shape::structure, "info", "BRIDGE_VLANDB_ENTRY_INFO", &info_schema},
    {BRIDGE_VLANDB_ENTRY_RANGE, Shape::u16, "end", "BRIDGE_VLANDB_ENTRY_RANGE"},
    {BRIDGE_VLANDB_ENTRY_STATE, Shape::u8, "state", "BRIDGE_VLANDB_ENTRY_STATE"},
    {BRIDGE_VLANDB_ENTRY_MCAST_ROUTER, Shape::u8, "multicastRouter", "BRIDGE_VLANDB_ENTRY_MCAST_ROUTER"},
    {max_groups, Shape::u32, "multicastMaxGroups", "BRIDGE_VLANDB_ENTRY_MCAST_MAX_GROUPS"},
    {neighbor_suppress, Shape::u8, "neighborSuppress", "BRIDGE_VLANDB_ENTRY_NEIGH_SUPPRESS"},
};
constexpr Schema entry_schema{entry};

constexpr Attribute attributes[] = {
    {.number = BRIDGE_VLANDB_ENTRY,
     .shape = Shape::nest,
     .name = "entries",
     .kernel = "BRIDGE_VLANDB_ENTRY",
     .schema = &entry_schema,
     .repeated = true},
};

constexpr Attribute dump_attributes[] = {
    {BRIDGE_VLANDB_DUMP_FLAGS, Shape::u32, "flags", "BRIDGE_VLANDB_DUMP_FLAGS"},
};

}  // namespace

constinit const Schema bridge_vlan_schema{attributes, header, sizeof(br_vlan_msg)};
constinit const Schema bridge_vlan_dump_schema{dump_attributes, header, sizeof(br_vlan_msg)};

}  // namespace netlink_ct
