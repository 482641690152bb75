// [ reject type 0 code 3 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_REJECT_TYPE, Shape::be32, "type", "NFTA_REJECT_TYPE"},
    {NFTA_REJECT_ICMP_CODE, Shape::u8, "icmpCode", "NFTA_REJECT_ICMP_CODE"},
};

}  // namespace

const Schema reject_schema{attributes};

}  // namespace netlink_ct::nftables
