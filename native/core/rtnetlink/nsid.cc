// net/core/net_namespace.c: rtnl_net_policy.
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(rtgenmsg, rtgen_family), 1},
};

constexpr Attribute attributes[] = {
    {NETNSA_NSID, Shape::s32, "nsid", "NETNSA_NSID"},
    {NETNSA_PID, Shape::u32, "pid", "NETNSA_PID"},
    {NETNSA_FD, Shape::u32, "fd", "NETNSA_FD"},
    {NETNSA_TARGET_NSID, Shape::s32, "targetNsid", "NETNSA_TARGET_NSID"},
    {NETNSA_CURRENT_NSID, Shape::s32, "currentNsid", "NETNSA_CURRENT_NSID"},
};

}  // namespace

constinit const Schema nsid_schema{attributes, header, sizeof(rtgenmsg)};

}  // namespace netlink_ct
