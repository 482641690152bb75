// [ cmp eq reg 1 0x0000007f ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_CMP_SREG, Shape::be32, "sreg", "NFTA_CMP_SREG"},
    {NFTA_CMP_OP, Shape::be32, "op", "NFTA_CMP_OP"},
    {NFTA_CMP_DATA, Shape::nest, "data", "NFTA_CMP_DATA", &data_schema},
};

}  // namespace

const Schema cmp_schema{attributes};

}  // namespace netlink_ct::nftables
