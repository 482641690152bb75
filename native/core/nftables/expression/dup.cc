// [ dup sreg_addr 1 sreg_dev 2 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_DUP_SREG_ADDR, Shape::be32, "sregAddr", "NFTA_DUP_SREG_ADDR"},
    {NFTA_DUP_SREG_DEV, Shape::be32, "sregDev", "NFTA_DUP_SREG_DEV"},
};

}  // namespace

const Schema dup_schema{attributes};

}  // namespace netlink_ct::nftables
