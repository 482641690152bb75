// drivers/net/netkit.c: netkit_policy. Since Linux 6.7: newer than some headers, so the numbers stand here.
#include "core/rtnetlink/kind/kinds.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {1, Shape::message, "peer", "IFLA_NETKIT_PEER_INFO", &link_schema},
    {2, Shape::u8, "primary", "IFLA_NETKIT_PRIMARY"},
    {3, Shape::u32, "policy", "IFLA_NETKIT_POLICY"},
    {4, Shape::u32, "peerPolicy", "IFLA_NETKIT_PEER_POLICY"},
    {5, Shape::u32, "mode", "IFLA_NETKIT_MODE"},
    {6, Shape::u32, "scrub", "IFLA_NETKIT_SCRUB"},
    {7, Shape::u32, "peerScrub", "IFLA_NETKIT_PEER_SCRUB"},
    {8, Shape::u16, "headroom", "IFLA_NETKIT_HEADROOM"},
    {9, Shape::u16, "tailroom", "IFLA_NETKIT_TAILROOM"},
};

}  // namespace

constinit const Schema netkit_schema{attributes};

}  // namespace netlink_ct
