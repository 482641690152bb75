// [ masq flags 0x10 ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_MASQ_FLAGS, Shape::be32, "flags", "NFTA_MASQ_FLAGS"},
    {NFTA_MASQ_REG_PROTO_MIN, Shape::be32, "protoMin", "NFTA_MASQ_REG_PROTO_MIN"},
    {NFTA_MASQ_REG_PROTO_MAX, Shape::be32, "protoMax", "NFTA_MASQ_REG_PROTO_MAX"},
};

}  // namespace

const Schema masq_schema{attributes};

}  // namespace netlink_ct::nftables
