// [ byteorder reg 1 = hton(reg 1, 4, 4) ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_BYTEORDER_SREG, Shape::be32, "sreg", "NFTA_BYTEORDER_SREG"},
    {NFTA_BYTEORDER_DREG, Shape::be32, "dreg", "NFTA_BYTEORDER_DREG"},
    {NFTA_BYTEORDER_OP, Shape::be32, "op", "NFTA_BYTEORDER_OP"},
    {NFTA_BYTEORDER_LEN, Shape::be32, "len", "NFTA_BYTEORDER_LEN"},
    {NFTA_BYTEORDER_SIZE, Shape::be32, "size", "NFTA_BYTEORDER_SIZE"},
};

}  // namespace

const Schema byteorder_schema{attributes};

}  // namespace netlink_ct::nftables
