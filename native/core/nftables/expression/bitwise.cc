// [ bitwise reg 1 = ( reg 1 & 0xffffdfff ) ^ 0x00002000 ]
// [ bitwise reg 1 = ( reg 1 << 0x00000008 ) ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_BITWISE_SREG, Shape::be32, "sreg", "NFTA_BITWISE_SREG"},
    {NFTA_BITWISE_DREG, Shape::be32, "dreg", "NFTA_BITWISE_DREG"},
    {NFTA_BITWISE_LEN, Shape::be32, "len", "NFTA_BITWISE_LEN"},
    {NFTA_BITWISE_MASK, Shape::nest, "mask", "NFTA_BITWISE_MASK", &data_schema},
    {NFTA_BITWISE_XOR, Shape::nest, "xor", "NFTA_BITWISE_XOR", &data_schema},
    {NFTA_BITWISE_OP, Shape::be32, "op", "NFTA_BITWISE_OP"},
    {NFTA_BITWISE_DATA, Shape::nest, "data", "NFTA_BITWISE_DATA", &data_schema},
};

}  // namespace

const Schema bitwise_schema{attributes};

}  // namespace netlink_ct::nftables
