// drivers/net/tun.c: what the kernel tells; tun and tap devices are made with an ioctl of /dev/net/tun.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {IFLA_TUN_OWNER, Shape::u32, "owner", "IFLA_TUN_OWNER"},
    {IFLA_TUN_GROUP, Shape::u32, "group", "IFLA_TUN_GROUP"},
    {IFLA_TUN_TYPE, Shape::u8, "type", "IFLA_TUN_TYPE"},
    {IFLA_TUN_PI, Shape::u8, "packetInformation", "IFLA_TUN_PI"},
    {IFLA_TUN_VNET_HDR, Shape::u8, "vnetHeader", "IFLA_TUN_VNET_HDR"},
    {IFLA_TUN_PERSIST, Shape::u8, "persist", "IFLA_TUN_PERSIST"},
    {IFLA_TUN_MULTI_QUEUE, Shape::u8, "multiQueue", "IFLA_TUN_MULTI_QUEUE"},
    {IFLA_TUN_NUM_QUEUES, Shape::u32, "queues", "IFLA_TUN_NUM_QUEUES"},
    {IFLA_TUN_NUM_DISABLED_QUEUES, Shape::u32, "disabledQueues", "IFLA_TUN_NUM_DISABLED_QUEUES"},
};

}  // namespace

constinit const Schema tun_schema{attributes};

}  // namespace netlink_ct
