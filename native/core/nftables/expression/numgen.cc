// [ numgen reg 1 = inc mod 2 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_NG_DREG, Shape::be32, "dreg", "NFTA_NG_DREG"},
    {NFTA_NG_MODULUS, Shape::be32, "modulus", "NFTA_NG_MODULUS"},
    {NFTA_NG_TYPE, Shape::be32, "type", "NFTA_NG_TYPE"},
    {NFTA_NG_OFFSET, Shape::be32, "offset", "NFTA_NG_OFFSET"},
};

}  // namespace

const Schema numgen_schema{attributes};

}  // namespace netlink_ct::nftables
