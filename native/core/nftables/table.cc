#include <linux/netfilter/nf_tables.h>

#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute table_attributes[] = {
    {NFTA_TABLE_NAME, Shape::text, "name", "NFTA_TABLE_NAME"},
    {NFTA_TABLE_FLAGS, Shape::be32, "flags", "NFTA_TABLE_FLAGS"},
    {NFTA_TABLE_USE, Shape::be32, "use", "NFTA_TABLE_USE"},
    {NFTA_TABLE_HANDLE, Shape::be64, "handle", "NFTA_TABLE_HANDLE"},
    {NFTA_TABLE_USERDATA, Shape::bytes, "userdata", "NFTA_TABLE_USERDATA"},
    {NFTA_TABLE_OWNER, Shape::be32, "owner", "NFTA_TABLE_OWNER"},
};

}  // namespace

const Schema table_schema{table_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
