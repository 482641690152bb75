#include "core/nftables/expression/expressions.h"

#include <linux/netfilter/nf_tables.h>

namespace netlink_ct::nftables {
namespace {

constexpr Choice choices[] = {
    {"bitwise", &bitwise_schema},
    {"byteorder", &byteorder_schema},
    {"cmp", &cmp_schema},
    {"connlimit", &connlimit_schema},
    {"counter", &counter_schema},
    {"ct", &ct_schema},
    {"dup", &dup_schema},
    {"dynset", &dynset_schema},
    {"exthdr", &exthdr_schema},
    {"fib", &fib_schema},
    {"fwd", &fwd_schema},
    {"hash", &hash_schema},
    {"immediate", &immediate_schema},
    {"limit", &limit_schema},
    {"log", &log_schema},
    {"lookup", &lookup_schema},
    {"masq", &masq_schema},
    {"meta", &meta_schema},
    {"nat", &nat_schema},
    {"notrack", &notrack_schema},
    {"numgen", &numgen_schema},
    {"objref", &objref_schema},
    {"payload", &payload_schema},
    {"queue", &queue_schema},
    {"quota", &quota_schema},
    {"range", &range_schema},
    {"redir", &redir_schema},
    {"reject", &reject_schema},
    {"rt", &rt_schema},
    {"socket", &socket_schema},
    {"tproxy", &tproxy_schema},
};

constexpr Attribute attributes[] = {
    {NFTA_EXPR_NAME, Shape::text, "name", "NFTA_EXPR_NAME"},
    {.number = NFTA_EXPR_DATA,
     .shape = Shape::chosen,
     .name = "data",
     .kernel = "NFTA_EXPR_DATA",
     .selector = "name",
     .choices = choices},
};

}  // namespace

const Schema expression_schema{attributes};

}  // namespace netlink_ct::nftables
