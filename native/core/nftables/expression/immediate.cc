// [ immediate reg 1 0x0200010a ]
// [ immediate reg 0 jump -> publish ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_IMMEDIATE_DREG, Shape::be32, "dreg", "NFTA_IMMEDIATE_DREG"},
    {NFTA_IMMEDIATE_DATA, Shape::nest, "data", "NFTA_IMMEDIATE_DATA", &data_schema},
};

}  // namespace

const Schema immediate_schema{attributes};

}  // namespace netlink_ct::nftables
