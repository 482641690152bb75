// The expressions that rules are made of, one file each. The comment on top of each file is what `nft --debug=netlink` prints for
// it; the name in NFTA_EXPR_NAME decides how NFTA_EXPR_DATA reads.
#pragma once

#include "core/netlink/schema.h"

namespace netlink_ct::nftables {

// { name, data }: one item of NFTA_RULE_EXPRESSIONS, and wherever else the kernel takes an expression.
extern const Schema expression_schema;

extern const Schema bitwise_schema;
extern const Schema byteorder_schema;
extern const Schema cmp_schema;
extern const Schema connlimit_schema;
extern const Schema counter_schema;
extern const Schema ct_schema;
extern const Schema dup_schema;
extern const Schema dynset_schema;
extern const Schema exthdr_schema;
extern const Schema fib_schema;
extern const Schema fwd_schema;
extern const Schema hash_schema;
extern const Schema immediate_schema;
extern const Schema limit_schema;
extern const Schema log_schema;
extern const Schema lookup_schema;
extern const Schema masq_schema;
extern const Schema meta_schema;
extern const Schema nat_schema;
extern const Schema notrack_schema;
extern const Schema numgen_schema;
extern const Schema objref_schema;
extern const Schema payload_schema;
extern const Schema queue_schema;
extern const Schema quota_schema;
extern const Schema range_schema;
extern const Schema redir_schema;
extern const Schema reject_schema;
extern const Schema rt_schema;
extern const Schema socket_schema;
extern const Schema tproxy_schema;

}  // namespace netlink_ct::nftables
