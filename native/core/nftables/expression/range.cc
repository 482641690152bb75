// [ range neq reg 1 0x0000901f 0x0000951f ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_RANGE_SREG, Shape::be32, "sreg", "NFTA_RANGE_SREG"},
    {NFTA_RANGE_OP, Shape::be32, "op", "NFTA_RANGE_OP"},
    {NFTA_RANGE_FROM_DATA, Shape::nest, "from", "NFTA_RANGE_FROM_DATA", &data_schema},
    {NFTA_RANGE_TO_DATA, Shape::nest, "to", "NFTA_RANGE_TO_DATA", &data_schema},
};

}  // namespace

const Schema range_schema{attributes};

}  // namespace netlink_ct::nftables
