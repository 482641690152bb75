// [ limit rate 10/second burst 5 type packets flags 0x0 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_LIMIT_RATE, Shape::be64, "rate", "NFTA_LIMIT_RATE"},    {NFTA_LIMIT_UNIT, Shape::be64, "unit", "NFTA_LIMIT_UNIT"},
    {NFTA_LIMIT_BURST, Shape::be32, "burst", "NFTA_LIMIT_BURST"}, {NFTA_LIMIT_TYPE, Shape::be32, "type", "NFTA_LIMIT_TYPE"},
    {NFTA_LIMIT_FLAGS, Shape::be32, "flags", "NFTA_LIMIT_FLAGS"},
};

}  // namespace

const Schema limit_schema{attributes};

}  // namespace netlink_ct::nftables
