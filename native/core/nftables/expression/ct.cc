// [ ct load state => reg 1 ]
// [ ct load dst_ip => reg 1 , dir original ]
// [ ct set mark with reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_CT_DREG, Shape::be32, "dreg", "NFTA_CT_DREG"},
    {NFTA_CT_KEY, Shape::be32, "key", "NFTA_CT_KEY"},
    {NFTA_CT_DIRECTION, Shape::u8, "direction", "NFTA_CT_DIRECTION"},
    {NFTA_CT_SREG, Shape::be32, "sreg", "NFTA_CT_SREG"},
};

}  // namespace

const Schema ct_schema{attributes};

}  // namespace netlink_ct::nftables
