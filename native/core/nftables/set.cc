#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute field_attributes[] = {
    {NFTA_SET_FIELD_LEN, Shape::be32, "len", "NFTA_SET_FIELD_LEN"},
};

constexpr Schema field_schema{field_attributes};

constexpr Attribute description_attributes[] = {
    {NFTA_SET_DESC_SIZE, Shape::be32, "size", "NFTA_SET_DESC_SIZE"},
    {NFTA_SET_DESC_CONCAT, Shape::list, "concat", "NFTA_SET_DESC_CONCAT", &field_schema, NFTA_LIST_ELEM},
};

constexpr Schema description_schema{description_attributes};

constexpr Attribute set_attributes[] = {
    {NFTA_SET_TABLE, Shape::text, "table", "NFTA_SET_TABLE"},
    {NFTA_SET_NAME, Shape::text, "name", "NFTA_SET_NAME"},
    {NFTA_SET_FLAGS, Shape::be32, "flags", "NFTA_SET_FLAGS"},
    {NFTA_SET_KEY_TYPE, Shape::be32, "keyType", "NFTA_SET_KEY_TYPE"},
    {NFTA_SET_KEY_LEN, Shape::be32, "keyLen", "NFTA_SET_KEY_LEN"},
    {NFTA_SET_DATA_TYPE, Shape::be32, "dataType", "NFTA_SET_DATA_TYPE"},
    {NFTA_SET_DATA_LEN, Shape::be32, "dataLen", "NFTA_SET_DATA_LEN"},
    {NFTA_SET_POLICY, Shape::be32, "policy", "NFTA_SET_POLICY"},
    {NFTA_SET_DESC, Shape::nest, "desc", "NFTA_SET_DESC", &description_schema},
    {NFTA_SET_ID, Shape::be32, "id", "NFTA_SET_ID"},
    {NFTA_SET_TIMEOUT, Shape::be64, "timeout", "NFTA_SET_TIMEOUT"},
    {NFTA_SET_GC_INTERVAL, Shape::be32, "gcInterval", "NFTA_SET_GC_INTERVAL"},
    {NFTA_SET_USERDATA, Shape::bytes, "userdata", "NFTA_SET_USERDATA"},
    {NFTA_SET_OBJ_TYPE, Shape::be32, "objType", "NFTA_SET_OBJ_TYPE"},
    {NFTA_SET_HANDLE, Shape::be64, "handle", "NFTA_SET_HANDLE"},
    {NFTA_SET_EXPR, Shape::nest, "expr", "NFTA_SET_EXPR", &expression_schema},
    {NFTA_SET_EXPRESSIONS, Shape::list, "expressions", "NFTA_SET_EXPRESSIONS", &expression_schema, NFTA_LIST_ELEM},
};

}  // namespace

const Schema set_schema{set_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
