// [ socket load mark => reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_SOCKET_KEY, Shape::be32, "key", "NFTA_SOCKET_KEY"},
    {NFTA_SOCKET_DREG, Shape::be32, "dreg", "NFTA_SOCKET_DREG"},
    {NFTA_SOCKET_LEVEL, Shape::be32, "level", "NFTA_SOCKET_LEVEL"},
};

}  // namespace

const Schema socket_schema{attributes};

}  // namespace netlink_ct::nftables
