// net/bridge/br_mdb.c, net/core/rtnetlink.c: rtnl_mdb_add, rtnl_mdb_del, rtnl_mdb_dump. What changes the multicast database has
// other attributes than what tells of it.
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

// Since Linux 6.2 to 6.8: newer than some headers.
enum : uint16_t { set_source_list = 2, set_filter_mode = 3, set_protocol = 4, set_state_mask = 10 };

constexpr HeaderField header[] = {
    {"family", offsetof(br_port_msg, family), 1},
    {"index", offsetof(br_port_msg, ifindex), 4},
};

// `group` is a union: `protocol` tells whether 4 or 16 bytes of an IP address or, when it is 0, 6 of a MAC address are in it.
constexpr HeaderField entry[] = {
    {"port", offsetof(br_mdb_entry, ifindex), 4},
    {"state", offsetof(br_mdb_entry, state), 1},
    {"flags", offsetof(br_mdb_entry, flags), 1},
    {"vlan", offsetof(br_mdb_entry, vid), 2},
    {"group", offsetof(br_mdb_entry, addr), sizeof(br_mdb_entry::addr.u)},
    {"protocol", offsetof(br_mdb_entry, addr.proto), 2, false, true},
};
constexpr Schema set_entry_schema{{}, entry, sizeof(br_mdb_entry)};

constexpr Attribute source[] = {
    {MDBA_MDB_SRCATTR_ADDRESS, Shape::ip, "address", "MDBA_MDB_SRCATTR_ADDRESS"},
    {MDBA_MDB_SRCATTR_TIMER, Shape::u32, "timer", "MDBA_MDB_SRCATTR_TIMER"},
};
constexpr Schema source_schema{source};

constexpr Attribute set_source[] = {
    {1, Shape::ip, "address", "MDBE_SRCATTR_ADDRESS"},
};
constexpr Schema set_source_schema{set_source};

constexpr Attribute set_attributes[] = {
    {MDBE_ATTR_SOURCE, Shape::ip, "source", "MDBE_ATTR_SOURCE"},
    {set_source_list, Shape::list, "sources", "MDBE_ATTR_SRC_LIST", &set_source_schema, 1},
    {set_filter_mode, Shape::u8, "filterMode", "MDBE_ATTR_GROUP_MODE"},
    {set_protocol, Shape::u8, "protocol", "MDBE_ATTR_RTPROT"},
    {set_state_mask, Shape::u8, "stateMask", "MDBE_ATTR_STATE_MASK"},
};
constexpr Schema set_attributes_schema{set_attributes};

constexpr Attribute change[] = {
    {MDBA_SET_ENTRY, Shape::structure, "entry", "MDBA_SET_ENTRY", &set_entry_schema},
    {MDBA_SET_ENTRY_ATTRS, Shape::nest, "attributes", "MDBA_SET_ENTRY_ATTRS", &set_attributes_schema},
};

constexpr Attribute told_attributes[] = {
    {MDBA_MDB_EATTR_TIMER, Shape::u32, "timer", "MDBA_MDB_EATTR_TIMER"},
    {MDBA_MDB_EATTR_SRC_LIST, Shape::list, "sources", "MDBA_MDB_EATTR_SRC_LIST", &source_schema, MDBA_MDB_SRCLIST_ENTRY},
    {MDBA_MDB_EATTR_GROUP_MODE, Shape::u8, "filterMode", "MDBA_MDB_EATTR_GROUP_MODE"},
    {MDBA_MDB_EATTR_SOURCE, Shape::ip, "source", "MDBA_MDB_EATTR_SOURCE"},
    {MDBA_MDB_EATTR_RTPROT, Shape::u8, "owner", "MDBA_MDB_EATTR_RTPROT"},
};
constexpr Schema told_schema{told_attributes, entry, sizeof(br_mdb_entry)};

// One group, with an entry for each port that wants it.
constexpr Attribute group[] = {
    {.number = MDBA_MDB_ENTRY_INFO,
     .shape = Shape::message,
     .name = "entries",
     .kernel = "MDBA_MDB_ENTRY_INFO",
     .schema = &told_schema,
     .repeated = true},
};
constexpr Schema group_schema{group};

constexpr Attribute attributes[] = {
    {MDBA_MDB, Shape::list, "groups", "MDBA_MDB", &group_schema, MDBA_MDB_ENTRY},
};

}  // namespace

constinit const Schema mdb_schema{attributes, header, sizeof(br_port_msg)};
constinit const Schema mdb_change_schema{change, header, sizeof(br_port_msg)};

}  // namespace netlink_ct
