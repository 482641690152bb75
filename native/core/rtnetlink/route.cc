// net/ipv4/fib_frontend.c: rtm_ipv4_policy; net/ipv6/route.c: rtm_ipv6_policy.
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

// Since Linux 6.14: newer than some headers, so the number stands here.
constexpr uint16_t rta_flowlabel = 31;

constexpr HeaderField header[] = {
    {"family", offsetof(rtmsg, rtm_family), 1},      {"toLength", offsetof(rtmsg, rtm_dst_len), 1},
    {"fromLength", offsetof(rtmsg, rtm_src_len), 1}, {"tos", offsetof(rtmsg, rtm_tos), 1},
    {"headerTable", offsetof(rtmsg, rtm_table), 1},  {"protocol", offsetof(rtmsg, rtm_protocol), 1},
    {"scope", offsetof(rtmsg, rtm_scope), 1},        {"type", offsetof(rtmsg, rtm_type), 1},
    {"flags", offsetof(rtmsg, rtm_flags), 4},
};

constexpr Attribute metrics[] = {
    {RTAX_LOCK, Shape::u32, "lock", "RTAX_LOCK"},
    {RTAX_MTU, Shape::u32, "mtu", "RTAX_MTU"},
    {RTAX_WINDOW, Shape::u32, "window", "RTAX_WINDOW"},
    {RTAX_RTT, Shape::u32, "rtt", "RTAX_RTT"},           // eighths of a millisecond
    {RTAX_RTTVAR, Shape::u32, "rttvar", "RTAX_RTTVAR"},  // quarters of a millisecond
    {RTAX_SSTHRESH, Shape::u32, "ssthresh", "RTAX_SSTHRESH"},
    {RTAX_CWND, Shape::u32, "cwnd", "RTAX_CWND"},
    {RTAX_ADVMSS, Shape::u32, "advmss", "RTAX_ADVMSS"},
    {RTAX_REORDERING, Shape::u32, "reordering", "RTAX_REORDERING"},
    {RTAX_HOPLIMIT, Shape::u32, "hopLimit", "RTAX_HOPLIMIT"},
    {RTAX_INITCWND, Shape::u32, "initcwnd", "RTAX_INITCWND"},
    {RTAX_FEATURES, Shape::u32, "features", "RTAX_FEATURES"},
    {RTAX_RTO_MIN, Shape::u32, "rtoMin", "RTAX_RTO_MIN"},
    {RTAX_INITRWND, Shape::u32, "initrwnd", "RTAX_INITRWND"},
    {RTAX_QUICKACK, Shape::u32, "quickack", "RTAX_QUICKACK"},
    {RTAX_CC_ALGO, Shape::text, "congctl", "RTAX_CC_ALGO"},
    {RTAX_FASTOPEN_NO_COOKIE, Shape::u32, "fastopenNoCookie", "RTAX_FASTOPEN_NO_COOKIE"},
};
constexpr Schema metrics_schema{metrics};

// The length in front, at offset 0, is the record's own.
constexpr HeaderField hop_header[] = {
    {"flags", offsetof(rtnexthop, rtnh_flags), 1},
    {"weight", offsetof(rtnexthop, rtnh_hops), 1},  // minus one
    {"oif", offsetof(rtnexthop, rtnh_ifindex), 4, true},
};

constexpr Attribute hop[] = {
    {RTA_GATEWAY, Shape::ip, "gateway", "RTA_GATEWAY"},
    {RTA_VIA, Shape::via, "via", "RTA_VIA"},
    {RTA_FLOW, Shape::u32, "realm", "RTA_FLOW"},
};
constexpr Schema hop_schema{hop, hop_header, sizeof(rtnexthop)};

constexpr HeaderField cache[] = {
    {"clntref", offsetof(rta_cacheinfo, rta_clntref), 4},
    {"lastUse", offsetof(rta_cacheinfo, rta_lastuse), 4},
    {"expires", offsetof(rta_cacheinfo, rta_expires), 4, true},
    {"error", offsetof(rta_cacheinfo, rta_error), 4},
    {"used", offsetof(rta_cacheinfo, rta_used), 4},
};
constexpr Schema cache_schema{{}, cache, sizeof(rta_cacheinfo)};

constexpr Attribute attributes[] = {
    {RTA_DST, Shape::ip, "to", "RTA_DST"},
    {RTA_SRC, Shape::ip, "from", "RTA_SRC"},
    {RTA_IIF, Shape::u32, "iif", "RTA_IIF"},
    {RTA_OIF, Shape::u32, "oif", "RTA_OIF"},
    {RTA_GATEWAY, Shape::ip, "gateway", "RTA_GATEWAY"},
    {RTA_PRIORITY, Shape::u32, "metric", "RTA_PRIORITY"},
    {RTA_PREFSRC, Shape::ip, "preferredSource", "RTA_PREFSRC"},
    {RTA_METRICS, Shape::nest, "metrics", "RTA_METRICS", &metrics_schema},
    {RTA_MULTIPATH, Shape::records, "multipath", "RTA_MULTIPATH", &hop_schema},
    {RTA_FLOW, Shape::u32, "realm", "RTA_FLOW"},
    {RTA_CACHEINFO, Shape::structure, "cacheInfo", "RTA_CACHEINFO", &cache_schema},
    {RTA_TABLE, Shape::u32, "table", "RTA_TABLE"},
    {RTA_MARK, Shape::u32, "mark", "RTA_MARK"},
    {RTA_VIA, Shape::via, "via", "RTA_VIA"},
    {RTA_PREF, Shape::u8, "preference", "RTA_PREF"},
    {RTA_EXPIRES, Shape::u32, "expires", "RTA_EXPIRES"},
    {RTA_UID, Shape::u32, "uid", "RTA_UID"},
    {RTA_IP_PROTO, Shape::u8, "ipProtocol", "RTA_IP_PROTO"},
    {RTA_SPORT, Shape::be16, "sourcePort", "RTA_SPORT"},
    {RTA_DPORT, Shape::be16, "destinationPort", "RTA_DPORT"},
    {RTA_NH_ID, Shape::u32, "nexthopId", "RTA_NH_ID"},
    {rta_flowlabel, Shape::be32, "flowLabel", "RTA_FLOWLABEL"},
};

}  // namespace

constinit const Schema route_schema{attributes, header, sizeof(rtmsg)};

}  // namespace netlink_ct
