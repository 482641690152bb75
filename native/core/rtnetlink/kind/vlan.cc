// net/8021q/vlan_netlink.c: vlan_policy.
#include <linux/if_link.h>

#include "core/rtnetlink/kind/kinds.h"

namespace netlink_ct {
namespace {

constexpr HeaderField flags[] = {
    {"flags", offsetof(ifla_vlan_flags, flags), 4},
    {"mask", offsetof(ifla_vlan_flags, mask), 4},
};
constexpr Schema flags_schema{{}, flags, sizeof(ifla_vlan_flags)};

constexpr HeaderField mapping[] = {
    {"from", offsetof(ifla_vlan_qos_mapping, from), 4},
    {"to", offsetof(ifla_vlan_qos_mapping, to), 4},
};
constexpr Schema mapping_schema{{}, mapping, sizeof(ifla_vlan_qos_mapping)};

constexpr Attribute mappings[] = {
    {.number = IFLA_VLAN_QOS_MAPPING,
     .shape = Shape::structure,
     .name = "mapping",
     .kernel = "IFLA_VLAN_QOS_MAPPING",
     .schema = &mapping_schema,
     .repeated = true},
};
constexpr Schema mappings_schema{mappings};

constexpr Attribute attributes[] = {
    {IFLA_VLAN_ID, Shape::u16, "id", "IFLA_VLAN_ID"},
    {IFLA_VLAN_FLAGS, Shape::structure, "flags", "IFLA_VLAN_FLAGS", &flags_schema},
    {IFLA_VLAN_EGRESS_QOS, Shape::nest, "egressQos", "IFLA_VLAN_EGRESS_QOS", &mappings_schema},
    {IFLA_VLAN_INGRESS_QOS, Shape::nest, "ingressQos", "IFLA_VLAN_INGRESS_QOS", &mappings_schema},
    {IFLA_VLAN_PROTOCOL, Shape::be16, "protocol", "IFLA_VLAN_PROTOCOL"},
};

}  // namespace

constinit const Schema vlan_schema{attributes};

}  // namespace netlink_ct
