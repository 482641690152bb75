#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute one_attributes[] = {
    {NFTA_SET_ELEM_KEY, Shape::nest, "key", "NFTA_SET_ELEM_KEY", &data_schema},
    {NFTA_SET_ELEM_DATA, Shape::nest, "data", "NFTA_SET_ELEM_DATA", &data_schema},
    {NFTA_SET_ELEM_FLAGS, Shape::be32, "flags", "NFTA_SET_ELEM_FLAGS"},
    {NFTA_SET_ELEM_TIMEOUT, Shape::be64, "timeout", "NFTA_SET_ELEM_TIMEOUT"},
    {NFTA_SET_ELEM_EXPIRATION, Shape::be64, "expiration", "NFTA_SET_ELEM_EXPIRATION"},
    {NFTA_SET_ELEM_USERDATA, Shape::bytes, "userdata", "NFTA_SET_ELEM_USERDATA"},
    {NFTA_SET_ELEM_EXPR, Shape::nest, "expr", "NFTA_SET_ELEM_EXPR", &expression_schema},
    {NFTA_SET_ELEM_OBJREF, Shape::text, "objref", "NFTA_SET_ELEM_OBJREF"},
    {NFTA_SET_ELEM_KEY_END, Shape::nest, "keyEnd", "NFTA_SET_ELEM_KEY_END", &data_schema},
    {NFTA_SET_ELEM_EXPRESSIONS, Shape::list, "expressions", "NFTA_SET_ELEM_EXPRESSIONS", &expression_schema, NFTA_LIST_ELEM},
};

constexpr Schema one_schema{one_attributes};

constexpr Attribute elements_attributes[] = {
    {NFTA_SET_ELEM_LIST_TABLE, Shape::text, "table", "NFTA_SET_ELEM_LIST_TABLE"},
    {NFTA_SET_ELEM_LIST_SET, Shape::text, "set", "NFTA_SET_ELEM_LIST_SET"},
    {NFTA_SET_ELEM_LIST_ELEMENTS, Shape::list, "elements", "NFTA_SET_ELEM_LIST_ELEMENTS", &one_schema, NFTA_LIST_ELEM},
    {NFTA_SET_ELEM_LIST_SET_ID, Shape::be32, "setId", "NFTA_SET_ELEM_LIST_SET_ID"},
};

}  // namespace

const Schema elements_schema{elements_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
