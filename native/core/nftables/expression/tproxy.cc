// [ tproxy ip port reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_TPROXY_FAMILY, Shape::be32, "family", "NFTA_TPROXY_FAMILY"},
    {NFTA_TPROXY_REG_ADDR, Shape::be32, "addr", "NFTA_TPROXY_REG_ADDR"},
    {NFTA_TPROXY_REG_PORT, Shape::be32, "port", "NFTA_TPROXY_REG_PORT"},
};

}  // namespace

const Schema tproxy_schema{attributes};

}  // namespace netlink_ct::nftables
