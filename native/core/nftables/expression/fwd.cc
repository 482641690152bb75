// [ fwd sreg_dev 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_FWD_SREG_DEV, Shape::be32, "sregDev", "NFTA_FWD_SREG_DEV"},
    {NFTA_FWD_SREG_ADDR, Shape::be32, "sregAddr", "NFTA_FWD_SREG_ADDR"},
    {NFTA_FWD_NFPROTO, Shape::be32, "nfproto", "NFTA_FWD_NFPROTO"},
};

}  // namespace

const Schema fwd_schema{attributes};

}  // namespace netlink_ct::nftables
