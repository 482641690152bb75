// Named counters, quotas, limits: `data` is as the expression of that kind has it, but which kind is a number, so it stays bytes.
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute object_attributes[] = {
    {NFTA_OBJ_TABLE, Shape::text, "table", "NFTA_OBJ_TABLE"},
    {NFTA_OBJ_NAME, Shape::text, "name", "NFTA_OBJ_NAME"},
    {NFTA_OBJ_TYPE, Shape::be32, "type", "NFTA_OBJ_TYPE"},
    {NFTA_OBJ_DATA, Shape::bytes, "data", "NFTA_OBJ_DATA"},
    {NFTA_OBJ_USE, Shape::be32, "use", "NFTA_OBJ_USE"},
    {NFTA_OBJ_HANDLE, Shape::be64, "handle", "NFTA_OBJ_HANDLE"},
    {NFTA_OBJ_USERDATA, Shape::bytes, "userdata", "NFTA_OBJ_USERDATA"},
};

}  // namespace

const Schema object_schema{object_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
