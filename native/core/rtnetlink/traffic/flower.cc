// net/sched/cls_flower.c: fl_policy, the keys that containers' traffic is told apart by.
#include <linux/pkt_cls.h>

#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {TCA_FLOWER_CLASSID, Shape::u32, "classId", "TCA_FLOWER_CLASSID"},
    {TCA_FLOWER_INDEV, Shape::text, "indev", "TCA_FLOWER_INDEV"},
    {TCA_FLOWER_KEY_VLAN_ID, Shape::u16, "vlanId", "TCA_FLOWER_KEY_VLAN_ID"},
    {TCA_FLOWER_KEY_VLAN_PRIO, Shape::u8, "vlanPriority", "TCA_FLOWER_KEY_VLAN_PRIO"},
    {TCA_FLOWER_KEY_VLAN_ETH_TYPE, Shape::be16, "vlanProtocol", "TCA_FLOWER_KEY_VLAN_ETH_TYPE"},
    {TCA_FLOWER_KEY_ETH_DST, Shape::mac, "destinationMac", "TCA_FLOWER_KEY_ETH_DST"},
    {TCA_FLOWER_KEY_ETH_DST_MASK, Shape::mac, "destinationMacMask", "TCA_FLOWER_KEY_ETH_DST_MASK"},
    {TCA_FLOWER_KEY_ETH_SRC, Shape::mac, "sourceMac", "TCA_FLOWER_KEY_ETH_SRC"},
    {TCA_FLOWER_KEY_ETH_SRC_MASK, Shape::mac, "sourceMacMask", "TCA_FLOWER_KEY_ETH_SRC_MASK"},
    {TCA_FLOWER_KEY_ETH_TYPE, Shape::be16, "protocol", "TCA_FLOWER_KEY_ETH_TYPE"},
    {TCA_FLOWER_KEY_IPV4_SRC, Shape::ip, "source4", "TCA_FLOWER_KEY_IPV4_SRC"},
    {TCA_FLOWER_KEY_IPV4_SRC_MASK, Shape::ip, "source4Mask", "TCA_FLOWER_KEY_IPV4_SRC_MASK"},
    {TCA_FLOWER_KEY_IPV4_DST, Shape::ip, "destination4", "TCA_FLOWER_KEY_IPV4_DST"},
    {TCA_FLOWER_KEY_IPV4_DST_MASK, Shape::ip, "destination4Mask", "TCA_FLOWER_KEY_IPV4_DST_MASK"},
    {TCA_FLOWER_KEY_IPV6_SRC, Shape::ip, "source6", "TCA_FLOWER_KEY_IPV6_SRC"},
    {TCA_FLOWER_KEY_IPV6_SRC_MASK, Shape::ip, "source6Mask", "TCA_FLOWER_KEY_IPV6_SRC_MASK"},
    {TCA_FLOWER_KEY_IPV6_DST, Shape::ip, "destination6", "TCA_FLOWER_KEY_IPV6_DST"},
    {TCA_FLOWER_KEY_IPV6_DST_MASK, Shape::ip, "destination6Mask", "TCA_FLOWER_KEY_IPV6_DST_MASK"},
    {TCA_FLOWER_KEY_IP_PROTO, Shape::u8, "ipProtocol", "TCA_FLOWER_KEY_IP_PROTO"},
    {TCA_FLOWER_KEY_TCP_SRC, Shape::be16, "tcpSource", "TCA_FLOWER_KEY_TCP_SRC"},
    {TCA_FLOWER_KEY_TCP_SRC_MASK, Shape::be16, "tcpSourceMask", "TCA_FLOWER_KEY_TCP_SRC_MASK"},
    {TCA_FLOWER_KEY_TCP_DST, Shape::be16, "tcpDestination", "TCA_FLOWER_KEY_TCP_DST"},
    {TCA_FLOWER_KEY_TCP_DST_MASK, Shape::be16, "tcpDestinationMask", "TCA_FLOWER_KEY_TCP_DST_MASK"},
    {TCA_FLOWER_KEY_UDP_SRC, Shape::be16, "udpSource", "TCA_FLOWER_KEY_UDP_SRC"},
    {TCA_FLOWER_KEY_UDP_SRC_MASK, Shape::be16, "udpSourceMask", "TCA_FLOWER_KEY_UDP_SRC_MASK"},
    {TCA_FLOWER_KEY_UDP_DST, Shape::be16, "udpDestination", "TCA_FLOWER_KEY_UDP_DST"},
    {TCA_FLOWER_KEY_UDP_DST_MASK, Shape::be16, "udpDestinationMask", "TCA_FLOWER_KEY_UDP_DST_MASK"},
    {TCA_FLOWER_ACT, Shape::list, "actions", "TCA_FLOWER_ACT", &action_schema},
    {TCA_FLOWER_FLAGS, Shape::u32, "flags", "TCA_FLOWER_FLAGS"},
};

}  // namespace

constinit const Schema flower_schema{attributes};

}  // namespace netlink_ct
