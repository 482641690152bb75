// net/bridge/br_netlink.c: br_setlink, br_dellink, br_fill_ifinfo. A link as a bridge sees it: AF_BRIDGE in the header.
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/kind/kinds.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr HeaderField vlan[] = {
    {"flags", offsetof(bridge_vlan_info, flags), 2},
    {"id", offsetof(bridge_vlan_info, vid), 2},
};
constexpr Schema vlan_schema{{}, vlan, sizeof(bridge_vlan_info)};

constexpr Attribute bridge[] = {
    {IFLA_BRIDGE_FLAGS, Shape::u16, "flags", "IFLA_BRIDGE_FLAGS"},
    {IFLA_BRIDGE_MODE, Shape::u16, "mode", "IFLA_BRIDGE_MODE"},
    {.number = IFLA_BRIDGE_VLAN_INFO,
     .shape = Shape::structure,
     .name = "vlans",
     .kernel = "IFLA_BRIDGE_VLAN_INFO",
     .schema = &vlan_schema,
     .repeated = true},
};
constexpr Schema bridge_schema{bridge};

constexpr Attribute attributes[] = {
    {IFLA_IFNAME, Shape::text, "name", "IFLA_IFNAME"},
    {IFLA_ADDRESS, Shape::mac, "mac", "IFLA_ADDRESS"},
    {IFLA_MTU, Shape::u32, "mtu", "IFLA_MTU"},
    {IFLA_LINK, Shape::u32, "link", "IFLA_LINK"},
    {IFLA_MASTER, Shape::u32, "master", "IFLA_MASTER"},
    {IFLA_OPERSTATE, Shape::u8, "operstate", "IFLA_OPERSTATE"},
    {IFLA_EXT_MASK, Shape::u32, "extMask", "IFLA_EXT_MASK"},
    {IFLA_PROTINFO, Shape::nest, "port", "IFLA_PROTINFO", &bridge_port_schema},
    {IFLA_AF_SPEC, Shape::nest, "bridge", "IFLA_AF_SPEC", &bridge_schema},
};

}  // namespace

constinit const Schema bridge_link_schema{attributes, link_header, sizeof(ifinfomsg)};

}  // namespace netlink_ct
