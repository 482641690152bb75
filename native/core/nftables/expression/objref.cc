// [ objref type 1 name web ]
// [ objref sreg 1 set counters ]
#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute attributes[] = {
    {NFTA_OBJREF_IMM_TYPE, Shape::be32, "type", "NFTA_OBJREF_IMM_TYPE"},
    {NFTA_OBJREF_IMM_NAME, Shape::text, "name", "NFTA_OBJREF_IMM_NAME"},
    {NFTA_OBJREF_SET_SREG, Shape::be32, "sreg", "NFTA_OBJREF_SET_SREG"},
    {NFTA_OBJREF_SET_NAME, Shape::text, "set", "NFTA_OBJREF_SET_NAME"},
    {NFTA_OBJREF_SET_ID, Shape::be32, "setId", "NFTA_OBJREF_SET_ID"},
};

}  // namespace

const Schema objref_schema{attributes};

}  // namespace netlink_ct::nftables
