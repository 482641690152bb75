// [ dynset add reg_key 1 set seen timeout 60000ms ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_DYNSET_SET_NAME, Shape::text, "set", "NFTA_DYNSET_SET_NAME"},
    {NFTA_DYNSET_SET_ID, Shape::be32, "setId", "NFTA_DYNSET_SET_ID"},
    {NFTA_DYNSET_OP, Shape::be32, "op", "NFTA_DYNSET_OP"},
    {NFTA_DYNSET_SREG_KEY, Shape::be32, "sregKey", "NFTA_DYNSET_SREG_KEY"},
    {NFTA_DYNSET_SREG_DATA, Shape::be32, "sregData", "NFTA_DYNSET_SREG_DATA"},
    {NFTA_DYNSET_TIMEOUT, Shape::be64, "timeout", "NFTA_DYNSET_TIMEOUT"},
    {NFTA_DYNSET_EXPR, Shape::nest, "expr", "NFTA_DYNSET_EXPR", &expression_schema},
    {NFTA_DYNSET_FLAGS, Shape::be32, "flags", "NFTA_DYNSET_FLAGS"},
    {NFTA_DYNSET_EXPRESSIONS, Shape::list, "expressions", "NFTA_DYNSET_EXPRESSIONS", &expression_schema, NFTA_LIST_ELEM},
};

}  // namespace

const Schema dynset_schema{attributes};

}  // namespace netlink_ct::nftables
