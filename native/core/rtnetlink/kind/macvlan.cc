// drivers/net/macvlan.c: macvlan_policy. The same for macvtap.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

// Since Linux 6.4: newer than some headers.
constexpr uint16_t broadcast_cutoff = 9;  // IFLA_MACVLAN_BC_CUTOFF

constexpr Attribute attributes[] = {
    {IFLA_MACVLAN_MODE, Shape::u32, "mode", "IFLA_MACVLAN_MODE"},
    {IFLA_MACVLAN_FLAGS, Shape::u16, "flags", "IFLA_MACVLAN_FLAGS"},
    {IFLA_MACVLAN_MACADDR_MODE, Shape::u32, "sourceMode", "IFLA_MACVLAN_MACADDR_MODE"},
    {IFLA_MACVLAN_MACADDR, Shape::mac, "source", "IFLA_MACVLAN_MACADDR"},
    {IFLA_MACVLAN_MACADDR_COUNT, Shape::u32, "sourceCount", "IFLA_MACVLAN_MACADDR_COUNT"},
    {IFLA_MACVLAN_BC_QUEUE_LEN, Shape::u32, "broadcastQueue", "IFLA_MACVLAN_BC_QUEUE_LEN"},
    {IFLA_MACVLAN_BC_QUEUE_LEN_USED, Shape::u32, "broadcastQueueUsed", "IFLA_MACVLAN_BC_QUEUE_LEN_USED"},
    {broadcast_cutoff, Shape::s32, "broadcastCutoff", "IFLA_MACVLAN_BC_CUTOFF"},
};

}  // namespace

constinit const Schema macvlan_schema{attributes};

}  // namespace netlink_ct
