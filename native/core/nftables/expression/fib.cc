// [ fib daddr type => reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_FIB_DREG, Shape::be32, "dreg", "NFTA_FIB_DREG"},
    {NFTA_FIB_RESULT, Shape::be32, "result", "NFTA_FIB_RESULT"},
    {NFTA_FIB_FLAGS, Shape::be32, "flags", "NFTA_FIB_FLAGS"},
};

}  // namespace

const Schema fib_schema{attributes};

}  // namespace netlink_ct::nftables
