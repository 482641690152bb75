// drivers/net/vrf.c: vrf_nl_policy.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

constexpr Attribute device[] = {
    {IFLA_VRF_TABLE, Shape::u32, "table", "IFLA_VRF_TABLE"},
};

constexpr Attribute port[] = {
    {IFLA_VRF_PORT_TABLE, Shape::u32, "table", "IFLA_VRF_PORT_TABLE"},
};

}  // namespace

constinit const Schema vrf_schema{device};
constinit const Schema vrf_port_schema{port};

}  // namespace netlink_ct
