// [ hash reg 1 = jhash(reg 2, 8, 0xdeadbeef) % mod 2 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_HASH_SREG, Shape::be32, "sreg", "NFTA_HASH_SREG"}, {NFTA_HASH_DREG, Shape::be32, "dreg", "NFTA_HASH_DREG"},
    {NFTA_HASH_LEN, Shape::be32, "len", "NFTA_HASH_LEN"},    {NFTA_HASH_MODULUS, Shape::be32, "modulus", "NFTA_HASH_MODULUS"},
    {NFTA_HASH_SEED, Shape::be32, "seed", "NFTA_HASH_SEED"}, {NFTA_HASH_OFFSET, Shape::be32, "offset", "NFTA_HASH_OFFSET"},
    {NFTA_HASH_TYPE, Shape::be32, "type", "NFTA_HASH_TYPE"},
};

}  // namespace

const Schema hash_schema{attributes};

}  // namespace netlink_ct::nftables
