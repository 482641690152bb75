// What a register or an element holds: bytes, or a verdict.
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute verdict_attributes[] = {
    {NFTA_VERDICT_CODE, Shape::sbe32, "code", "NFTA_VERDICT_CODE"},
    {NFTA_VERDICT_CHAIN, Shape::text, "chain", "NFTA_VERDICT_CHAIN"},
    {NFTA_VERDICT_CHAIN_ID, Shape::be32, "chainId", "NFTA_VERDICT_CHAIN_ID"},
};

constexpr Schema verdict_schema{verdict_attributes};

constexpr Attribute data_attributes[] = {
    {NFTA_DATA_VALUE, Shape::bytes, "value", "NFTA_DATA_VALUE"},
    {NFTA_DATA_VERDICT, Shape::nest, "verdict", "NFTA_DATA_VERDICT", &verdict_schema},
};

}  // namespace

const Schema data_schema{data_attributes};

}  // namespace netlink_ct::nftables
