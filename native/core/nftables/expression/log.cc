// [ log prefix dropped group 2 snaplen 64 qthreshold 8 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_LOG_GROUP, Shape::be16, "group", "NFTA_LOG_GROUP"},
    {NFTA_LOG_PREFIX, Shape::text, "prefix", "NFTA_LOG_PREFIX"},
    {NFTA_LOG_SNAPLEN, Shape::be32, "snaplen", "NFTA_LOG_SNAPLEN"},
    {NFTA_LOG_QTHRESHOLD, Shape::be16, "qthreshold", "NFTA_LOG_QTHRESHOLD"},
    {NFTA_LOG_LEVEL, Shape::be32, "level", "NFTA_LOG_LEVEL"},
    {NFTA_LOG_FLAGS, Shape::be32, "flags", "NFTA_LOG_FLAGS"},
};

}  // namespace

const Schema log_schema{attributes};

}  // namespace netlink_ct::nftables
