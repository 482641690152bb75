// The objects of nf_tables: what NFT_MSG_* messages carry. Keys and codes follow linux/netfilter/nf_tables.h; expressions have a
// folder of their own.
#pragma once

#include <linux/netfilter/nfnetlink.h>

#include "core/netlink/schema.h"

namespace netlink_ct::nftables {

// nfgenmsg, in front of every message: the table's family (NFPROTO_*).
inline constexpr HeaderField nfgen_header[] = {
    {"family", offsetof(nfgenmsg, nfgen_family), sizeof(nfgenmsg::nfgen_family)},
    {"version", offsetof(nfgenmsg, version), sizeof(nfgenmsg::version)},
    {.name = "resourceId", .offset = offsetof(nfgenmsg, res_id), .size = sizeof(nfgenmsg::res_id), .big_endian = true},
};
inline constexpr size_t nfgen_size = sizeof(nfgenmsg);

extern const Schema table_schema;
extern const Schema chain_schema;
extern const Schema rule_schema;
extern const Schema set_schema;
extern const Schema elements_schema;
extern const Schema object_schema;
extern const Schema generation_schema;

// Nested in all of them.
extern const Schema data_schema;

}  // namespace netlink_ct::nftables
