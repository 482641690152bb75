// [ rt load tcpmss => reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_RT_DREG, Shape::be32, "dreg", "NFTA_RT_DREG"},
    {NFTA_RT_KEY, Shape::be32, "key", "NFTA_RT_KEY"},
};

}  // namespace

const Schema rt_schema{attributes};

}  // namespace netlink_ct::nftables
