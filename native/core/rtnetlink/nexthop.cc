// net/ipv4/nexthop.c: rtm_nh_policy_new.
#include <linux/nexthop.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(nhmsg, nh_family), 1},
    {"scope", offsetof(nhmsg, nh_scope), 1},
    {"protocol", offsetof(nhmsg, nh_protocol), 1},
    {"flags", offsetof(nhmsg, nh_flags), 4},
};

constexpr HeaderField member[] = {
    {"id", offsetof(nexthop_grp, id), 4},
    {"weight", offsetof(nexthop_grp, weight), 1},  // minus one
    {"weightHigh", offsetof(nexthop_grp, resvd1), 1},
    {"reserved", offsetof(nexthop_grp, resvd2), 2},
};
constexpr Schema member_schema{{}, member, sizeof(nexthop_grp)};

constexpr Attribute attributes[] = {
    {NHA_ID, Shape::u32, "id", "NHA_ID"},
    {NHA_GROUP, Shape::structures, "members", "NHA_GROUP", &member_schema},
    {NHA_GROUP_TYPE, Shape::u16, "groupType", "NHA_GROUP_TYPE"},
    {NHA_BLACKHOLE, Shape::flag, "blackhole", "NHA_BLACKHOLE"},
    {NHA_OIF, Shape::u32, "oif", "NHA_OIF"},
    {NHA_GATEWAY, Shape::ip, "gateway", "NHA_GATEWAY"},
    {NHA_GROUPS, Shape::flag, "groups", "NHA_GROUPS"},
    {NHA_MASTER, Shape::u32, "master", "NHA_MASTER"},
    {NHA_FDB, Shape::flag, "fdb", "NHA_FDB"},
};

}  // namespace

constinit const Schema nexthop_schema{attributes, header, sizeof(nhmsg)};

}  // namespace netlink_ct
