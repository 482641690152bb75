// net/ipv4/devinet.c: ifa_ipv4_policy; net/ipv6/addrconf.c: ifa_ipv6_policy.
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(ifaddrmsg, ifa_family), 1},     {"prefixLength", offsetof(ifaddrmsg, ifa_prefixlen), 1},
    {"headerFlags", offsetof(ifaddrmsg, ifa_flags), 1}, {"scope", offsetof(ifaddrmsg, ifa_scope), 1},
    {"index", offsetof(ifaddrmsg, ifa_index), 4},
};

constexpr HeaderField lifetimes[] = {
    {"preferred", offsetof(ifa_cacheinfo, ifa_prefered), 4},
    {"valid", offsetof(ifa_cacheinfo, ifa_valid), 4},
    {"created", offsetof(ifa_cacheinfo, cstamp), 4},
    {"updated", offsetof(ifa_cacheinfo, tstamp), 4},
};
constexpr Schema lifetimes_schema{{}, lifetimes, sizeof(ifa_cacheinfo)};

constexpr Attribute attributes[] = {
    {IFA_ADDRESS, Shape::ip, "address", "IFA_ADDRESS"},
    {IFA_LOCAL, Shape::ip, "local", "IFA_LOCAL"},
    {IFA_LABEL, Shape::text, "label", "IFA_LABEL"},
    {IFA_BROADCAST, Shape::ip, "broadcast", "IFA_BROADCAST"},
    {IFA_ANYCAST, Shape::ip, "anycast", "IFA_ANYCAST"},
    {IFA_CACHEINFO, Shape::structure, "lifetimes", "IFA_CACHEINFO", &lifetimes_schema},
    {IFA_FLAGS, Shape::u32, "flags", "IFA_FLAGS"},
    {IFA_RT_PRIORITY, Shape::u32, "metric", "IFA_RT_PRIORITY"},
    {IFA_PROTO, Shape::u8, "protocol", "IFA_PROTO"},
    {IFA_TARGET_NETNSID, Shape::s32, "targetNetnsid", "IFA_TARGET_NETNSID"},
};

}  // namespace

constinit const Schema address_schema{attributes, header, sizeof(ifaddrmsg)};

}  // namespace netlink_ct
