// [ quota bytes 1048576 consumed 0 flags 0 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_QUOTA_BYTES, Shape::be64, "bytes", "NFTA_QUOTA_BYTES"},
    {NFTA_QUOTA_FLAGS, Shape::be32, "flags", "NFTA_QUOTA_FLAGS"},
    {NFTA_QUOTA_CONSUMED, Shape::be64, "consumed", "NFTA_QUOTA_CONSUMED"},
};

}  // namespace

const Schema quota_schema{attributes};

}  // namespace netlink_ct::nftables
