// [ queue num 0-3 bypass ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_QUEUE_NUM, Shape::be16, "num", "NFTA_QUEUE_NUM"},
    {NFTA_QUEUE_TOTAL, Shape::be16, "total", "NFTA_QUEUE_TOTAL"},
    {NFTA_QUEUE_FLAGS, Shape::be16, "flags", "NFTA_QUEUE_FLAGS"},
    {NFTA_QUEUE_SREG_QNUM, Shape::be32, "sregQnum", "NFTA_QUEUE_SREG_QNUM"},
};

}  // namespace

const Schema queue_schema{attributes};

}  // namespace netlink_ct::nftables
