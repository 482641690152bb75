// [ lookup reg 1 set ports4 dreg 1 ]
// [ lookup reg 1 set networks 0x1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_LOOKUP_SET, Shape::text, "set", "NFTA_LOOKUP_SET"},
    {NFTA_LOOKUP_SREG, Shape::be32, "sreg", "NFTA_LOOKUP_SREG"},
    {NFTA_LOOKUP_DREG, Shape::be32, "dreg", "NFTA_LOOKUP_DREG"},
    {NFTA_LOOKUP_SET_ID, Shape::be32, "setId", "NFTA_LOOKUP_SET_ID"},
    {NFTA_LOOKUP_FLAGS, Shape::be32, "flags", "NFTA_LOOKUP_FLAGS"},
};

}  // namespace

const Schema lookup_schema{attributes};

}  // namespace netlink_ct::nftables
