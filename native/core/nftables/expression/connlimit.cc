// [ connlimit count 20 flags 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_CONNLIMIT_COUNT, Shape::be32, "count", "NFTA_CONNLIMIT_COUNT"},
    {NFTA_CONNLIMIT_FLAGS, Shape::be32, "flags", "NFTA_CONNLIMIT_FLAGS"},
};

}  // namespace

const Schema connlimit_schema{attributes};

}  // namespace netlink_ct::nftables
