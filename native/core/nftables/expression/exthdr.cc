// [ exthdr load tcpopt 2b @ 2 + 2 => reg 1 ]
// [ exthdr write tcpopt reg 1 => 2b @ 2 + 2 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_EXTHDR_DREG, Shape::be32, "dreg", "NFTA_EXTHDR_DREG"},       {NFTA_EXTHDR_TYPE, Shape::u8, "type", "NFTA_EXTHDR_TYPE"},
    {NFTA_EXTHDR_OFFSET, Shape::be32, "offset", "NFTA_EXTHDR_OFFSET"}, {NFTA_EXTHDR_LEN, Shape::be32, "len", "NFTA_EXTHDR_LEN"},
    {NFTA_EXTHDR_FLAGS, Shape::be32, "flags", "NFTA_EXTHDR_FLAGS"},    {NFTA_EXTHDR_OP, Shape::be32, "op", "NFTA_EXTHDR_OP"},
    {NFTA_EXTHDR_SREG, Shape::be32, "sreg", "NFTA_EXTHDR_SREG"},
};

}  // namespace

const Schema exthdr_schema{attributes};

}  // namespace netlink_ct::nftables
