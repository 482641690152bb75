// [ payload load 4b @ network header + 16 => reg 1 ]
// [ payload write reg 1 => 2b @ transport header + 2 csum_type 1 csum_off 16 csum_flags 0x0 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_PAYLOAD_DREG, Shape::be32, "dreg", "NFTA_PAYLOAD_DREG"},
    {NFTA_PAYLOAD_BASE, Shape::be32, "base", "NFTA_PAYLOAD_BASE"},
    {NFTA_PAYLOAD_OFFSET, Shape::be32, "offset", "NFTA_PAYLOAD_OFFSET"},
    {NFTA_PAYLOAD_LEN, Shape::be32, "len", "NFTA_PAYLOAD_LEN"},
    {NFTA_PAYLOAD_SREG, Shape::be32, "sreg", "NFTA_PAYLOAD_SREG"},
    {NFTA_PAYLOAD_CSUM_TYPE, Shape::be32, "csumType", "NFTA_PAYLOAD_CSUM_TYPE"},
    {NFTA_PAYLOAD_CSUM_OFFSET, Shape::be32, "csumOffset", "NFTA_PAYLOAD_CSUM_OFFSET"},
    {NFTA_PAYLOAD_CSUM_FLAGS, Shape::be32, "csumFlags", "NFTA_PAYLOAD_CSUM_FLAGS"},
};

}  // namespace

const Schema payload_schema{attributes};

}  // namespace netlink_ct::nftables
