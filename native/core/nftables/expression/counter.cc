// [ counter pkts 0 bytes 0 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_COUNTER_BYTES, Shape::be64, "bytes", "NFTA_COUNTER_BYTES"},
    {NFTA_COUNTER_PACKETS, Shape::be64, "packets", "NFTA_COUNTER_PACKETS"},
};

}  // namespace

const Schema counter_schema{attributes};

}  // namespace netlink_ct::nftables
