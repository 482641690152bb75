#include <linux/netfilter/nf_tables.h>

#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute generation_attributes[] = {
    {NFTA_GEN_ID, Shape::be32, "id", "NFTA_GEN_ID"},
    {NFTA_GEN_PROC_PID, Shape::be32, "pid", "NFTA_GEN_PROC_PID"},
    {NFTA_GEN_PROC_NAME, Shape::text, "process", "NFTA_GEN_PROC_NAME"},
};

}  // namespace

const Schema generation_schema{generation_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
