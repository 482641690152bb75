// [ meta load iifname => reg 1 ]
// [ meta set mark with reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_META_DREG, Shape::be32, "dreg", "NFTA_META_DREG"},
    {NFTA_META_KEY, Shape::be32, "key", "NFTA_META_KEY"},
    {NFTA_META_SREG, Shape::be32, "sreg", "NFTA_META_SREG"},
};

}  // namespace

const Schema meta_schema{attributes};

}  // namespace netlink_ct::nftables
