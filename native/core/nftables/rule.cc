#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute rule_attributes[] = {
    {NFTA_RULE_TABLE, Shape::text, "table", "NFTA_RULE_TABLE"},
    {NFTA_RULE_CHAIN, Shape::text, "chain", "NFTA_RULE_CHAIN"},
    {NFTA_RULE_HANDLE, Shape::be64, "handle", "NFTA_RULE_HANDLE"},
    {NFTA_RULE_EXPRESSIONS, Shape::list, "expressions", "NFTA_RULE_EXPRESSIONS", &expression_schema, NFTA_LIST_ELEM},
    {NFTA_RULE_POSITION, Shape::be64, "position", "NFTA_RULE_POSITION"},
    {NFTA_RULE_USERDATA, Shape::bytes, "userdata", "NFTA_RULE_USERDATA"},
    {NFTA_RULE_ID, Shape::be32, "id", "NFTA_RULE_ID"},
    {NFTA_RULE_POSITION_ID, Shape::be32, "positionId", "NFTA_RULE_POSITION_ID"},
    {NFTA_RULE_CHAIN_ID, Shape::be32, "chainId", "NFTA_RULE_CHAIN_ID"},
};

}  // namespace

const Schema rule_schema{rule_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
