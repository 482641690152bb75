// [ nat dnat ip addr_min reg 1 proto_min reg 9 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_NAT_TYPE, Shape::be32, "type", "NFTA_NAT_TYPE"},
    {NFTA_NAT_FAMILY, Shape::be32, "family", "NFTA_NAT_FAMILY"},
    {NFTA_NAT_REG_ADDR_MIN, Shape::be32, "addrMin", "NFTA_NAT_REG_ADDR_MIN"},
    {NFTA_NAT_REG_ADDR_MAX, Shape::be32, "addrMax", "NFTA_NAT_REG_ADDR_MAX"},
    {NFTA_NAT_REG_PROTO_MIN, Shape::be32, "protoMin", "NFTA_NAT_REG_PROTO_MIN"},
    {NFTA_NAT_REG_PROTO_MAX, Shape::be32, "protoMax", "NFTA_NAT_REG_PROTO_MAX"},
    {NFTA_NAT_FLAGS, Shape::be32, "flags", "NFTA_NAT_FLAGS"},
};

}  // namespace

const Schema nat_schema{attributes};

}  // namespace netlink_ct::nftables
