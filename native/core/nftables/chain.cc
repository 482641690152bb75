#include <linux/netfilter/nf_tables.h>

#include "core/nftables/expression/expressions.h"
#include "core/nftables/schema.h"

namespace netlink_ct::nftables {
namespace {

constexpr Attribute hook_attributes[] = {
    {NFTA_HOOK_HOOKNUM, Shape::be32, "number", "NFTA_HOOK_HOOKNUM"},
    {NFTA_HOOK_PRIORITY, Shape::sbe32, "priority", "NFTA_HOOK_PRIORITY"},
    {NFTA_HOOK_DEV, Shape::text, "device", "NFTA_HOOK_DEV"},
    {NFTA_HOOK_DEVS, Shape::texts, "devices", "NFTA_HOOK_DEVS", nullptr, NFTA_DEVICE_NAME},
};

constexpr Schema hook_schema{hook_attributes};

constexpr Attribute chain_attributes[] = {
    {NFTA_CHAIN_TABLE, Shape::text, "table", "NFTA_CHAIN_TABLE"},
    {NFTA_CHAIN_HANDLE, Shape::be64, "handle", "NFTA_CHAIN_HANDLE"},
    {NFTA_CHAIN_NAME, Shape::text, "name", "NFTA_CHAIN_NAME"},
    {NFTA_CHAIN_HOOK, Shape::nest, "hook", "NFTA_CHAIN_HOOK", &hook_schema},
    {NFTA_CHAIN_POLICY, Shape::be32, "policy", "NFTA_CHAIN_POLICY"},
    {NFTA_CHAIN_USE, Shape::be32, "use", "NFTA_CHAIN_USE"},
    {NFTA_CHAIN_TYPE, Shape::text, "type", "NFTA_CHAIN_TYPE"},
    {NFTA_CHAIN_COUNTERS, Shape::nest, "counters", "NFTA_CHAIN_COUNTERS", &counter_schema},
    {NFTA_CHAIN_FLAGS, Shape::be32, "flags", "NFTA_CHAIN_FLAGS"},
    {NFTA_CHAIN_ID, Shape::be32, "id", "NFTA_CHAIN_ID"},
    {NFTA_CHAIN_USERDATA, Shape::bytes, "userdata", "NFTA_CHAIN_USERDATA"},
};

}  // namespace

const Schema chain_schema{chain_attributes, nfgen_header, nfgen_size};

}  // namespace netlink_ct::nftables
