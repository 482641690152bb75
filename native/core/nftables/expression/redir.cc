// [ redir proto_min reg 1 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_REDIR_REG_PROTO_MIN, Shape::be32, "protoMin", "NFTA_REDIR_REG_PROTO_MIN"},
    {NFTA_REDIR_REG_PROTO_MAX, Shape::be32, "protoMax", "NFTA_REDIR_REG_PROTO_MAX"},
    {NFTA_REDIR_FLAGS, Shape::be32, "flags", "NFTA_REDIR_FLAGS"},
};

}  // namespace

const Schema redir_schema{attributes};

}  // namespace netlink_ct::nftables
