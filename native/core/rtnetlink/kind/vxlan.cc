// drivers/net/vxlan/vxlan_core.c: vxlan_policy.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

constexpr HeaderField range[] = {
    {.name = "low", .offset = offsetof(ifla_vxlan_port_range, low), .size = 2, .big_endian = true},
    {.name = "high", .offset = offsetof(ifla_vxlan_port_range, high), .size = 2, .big_endian = true},
};
constexpr Schema range_schema{{}, range, sizeof(ifla_vxlan_port_range)};

constexpr Attribute attributes[] = {
    {IFLA_VXLAN_ID, Shape::u32, "id", "IFLA_VXLAN_ID"},
    {IFLA_VXLAN_GROUP, Shape::ip, "group", "IFLA_VXLAN_GROUP"},
    {IFLA_VXLAN_GROUP6, Shape::ip, "group6", "IFLA_VXLAN_GROUP6"},
    {IFLA_VXLAN_LINK, Shape::u32, "link", "IFLA_VXLAN_LINK"},
    {IFLA_VXLAN_LOCAL, Shape::ip, "local", "IFLA_VXLAN_LOCAL"},
    {IFLA_VXLAN_LOCAL6, Shape::ip, "local6", "IFLA_VXLAN_LOCAL6"},
    {IFLA_VXLAN_TTL, Shape::u8, "ttl", "IFLA_VXLAN_TTL"},
    {IFLA_VXLAN_TOS, Shape::u8, "tos", "IFLA_VXLAN_TOS"},
    {IFLA_VXLAN_LEARNING, Shape::u8, "learning", "IFLA_VXLAN_LEARNING"},
    {IFLA_VXLAN_AGEING, Shape::u32, "ageing", "IFLA_VXLAN_AGEING"},
    {IFLA_VXLAN_LIMIT, Shape::u32, "limit", "IFLA_VXLAN_LIMIT"},
    {IFLA_VXLAN_PORT_RANGE, Shape::structure, "sourcePorts", "IFLA_VXLAN_PORT_RANGE", &range_schema},
    {IFLA_VXLAN_PROXY, Shape::u8, "proxy", "IFLA_VXLAN_PROXY"},
    {IFLA_VXLAN_RSC, Shape::u8, "routeShortCircuit", "IFLA_VXLAN_RSC"},
    {IFLA_VXLAN_L2MISS, Shape::u8, "l2miss", "IFLA_VXLAN_L2MISS"},
    {IFLA_VXLAN_L3MISS, Shape::u8, "l3miss", "IFLA_VXLAN_L3MISS"},
    {IFLA_VXLAN_PORT, Shape::be16, "port", "IFLA_VXLAN_PORT"},
    {IFLA_VXLAN_UDP_CSUM, Shape::u8, "udpChecksum", "IFLA_VXLAN_UDP_CSUM"},
    {IFLA_VXLAN_UDP_ZERO_CSUM6_TX, Shape::u8, "udpZeroChecksum6Tx", "IFLA_VXLAN_UDP_ZERO_CSUM6_TX"},
    {IFLA_VXLAN_UDP_ZERO_CSUM6_RX, Shape::u8, "udpZeroChecksum6Rx", "IFLA_VXLAN_UDP_ZERO_CSUM6_RX"},
    {IFLA_VXLAN_GBP, Shape::flag, "groupPolicy", "IFLA_VXLAN_GBP"},
    {IFLA_VXLAN_COLLECT_METADATA, Shape::u8, "external", "IFLA_VXLAN_COLLECT_METADATA"},
    {IFLA_VXLAN_LABEL, Shape::be32, "label", "IFLA_VXLAN_LABEL"},
    {IFLA_VXLAN_TTL_INHERIT, Shape::u8, "ttlInherit", "IFLA_VXLAN_TTL_INHERIT"},
    {IFLA_VXLAN_DF, Shape::u8, "df", "IFLA_VXLAN_DF"},
};

}  // namespace

constinit const Schema vxlan_schema{attributes};

}  // namespace netlink_ct
