// drivers/net/ipvlan/ipvlan_main.c: ipvlan_nl_policy.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {IFLA_IPVLAN_MODE, Shape::u16, "mode", "IFLA_IPVLAN_MODE"},
    {IFLA_IPVLAN_FLAGS, Shape::u16, "flags", "IFLA_IPVLAN_FLAGS"},
};

}  // namespace

constinit const Schema ipvlan_schema{attributes};

}  // namespace netlink_ct
