#include "core/conntrack/schema.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cstddef>

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(nfgenmsg, nfgen_family), 1},
    {"version", offsetof(nfgenmsg, version), 1},
    {"resourceId", offsetof(nfgenmsg, res_id), 2, false, true},
};

constexpr Attribute ip[] = {
    {CTA_IP_V4_SRC, Shape::ip, "source4", "CTA_IP_V4_SRC"},
    {CTA_IP_V4_DST, Shape::ip, "destination4", "CTA_IP_V4_DST"},
    {CTA_IP_V6_SRC, Shape::ip, "source6", "CTA_IP_V6_SRC"},
    {CTA_IP_V6_DST, Shape::ip, "destination6", "CTA_IP_V6_DST"},
};
constexpr Schema ip_schema{ip};

constexpr Attribute protocol[] = {
    {CTA_PROTO_NUM, Shape::u8, "number", "CTA_PROTO_NUM"},
    {CTA_PROTO_SRC_PORT, Shape::be16, "sourcePort", "CTA_PROTO_SRC_PORT"},
    {CTA_PROTO_DST_PORT, Shape::be16, "destinationPort", "CTA_PROTO_DST_PORT"},
    {CTA_PROTO_ICMP_ID, Shape::be16, "icmpId", "CTA_PROTO_ICMP_ID"},
    {CTA_PROTO_ICMP_TYPE, Shape::u8, "icmpType", "CTA_PROTO_ICMP_TYPE"},
    {CTA_PROTO_ICMP_CODE, Shape::u8, "icmpCode", "CTA_PROTO_ICMP_CODE"},
    {CTA_PROTO_ICMPV6_ID, Shape::be16, "icmp6Id", "CTA_PROTO_ICMPV6_ID"},
    {CTA_PROTO_ICMPV6_TYPE, Shape::u8, "icmp6Type", "CTA_PROTO_ICMPV6_TYPE"},
    {CTA_PROTO_ICMPV6_CODE, Shape::u8, "icmp6Code", "CTA_PROTO_ICMPV6_CODE"},
};
constexpr Schema protocol_schema{protocol};

constexpr Attribute tuple[] = {
    {CTA_TUPLE_IP, Shape::nest, "ip", "CTA_TUPLE_IP", &ip_schema},
    {CTA_TUPLE_PROTO, Shape::nest, "protocol", "CTA_TUPLE_PROTO", &protocol_schema},
    {CTA_TUPLE_ZONE, Shape::be16, "zone", "CTA_TUPLE_ZONE"},
};
constexpr Schema tuple_schema{tuple};

constexpr Attribute tcp[] = {
    {CTA_PROTOINFO_TCP_STATE, Shape::u8, "state", "CTA_PROTOINFO_TCP_STATE"},
};
constexpr Schema tcp_schema{tcp};

constexpr Attribute protocol_info[] = {
    {CTA_PROTOINFO_TCP, Shape::nest, "tcp", "CTA_PROTOINFO_TCP", &tcp_schema},
};
constexpr Schema protocol_info_schema{protocol_info};

constexpr Attribute counters[] = {
    {CTA_COUNTERS_PACKETS, Shape::be64, "packets", "CTA_COUNTERS_PACKETS"},
    {CTA_COUNTERS_BYTES, Shape::be64, "bytes", "CTA_COUNTERS_BYTES"},
};
constexpr Schema counters_schema{counters};

constexpr Attribute filter[] = {
    {conntrack_filter::original_flags, Shape::u32, "original", "CTA_FILTER_ORIG_FLAGS"},
    {conntrack_filter::reply_flags, Shape::u32, "reply", "CTA_FILTER_REPLY_FLAGS"},
};
constexpr Schema filter_schema{filter};

constexpr Attribute attributes[] = {
    {CTA_TUPLE_ORIG, Shape::nest, "original", "CTA_TUPLE_ORIG", &tuple_schema},
    {CTA_TUPLE_REPLY, Shape::nest, "reply", "CTA_TUPLE_REPLY", &tuple_schema},
    {CTA_STATUS, Shape::be32, "status", "CTA_STATUS"},
    {conntrack_filter::status_mask, Shape::be32, "statusMask", "CTA_STATUS_MASK"},
    {CTA_PROTOINFO, Shape::nest, "protocolInfo", "CTA_PROTOINFO", &protocol_info_schema},
    {CTA_COUNTERS_ORIG, Shape::nest, "originalCounters", "CTA_COUNTERS_ORIG", &counters_schema},
    {CTA_COUNTERS_REPLY, Shape::nest, "replyCounters", "CTA_COUNTERS_REPLY", &counters_schema},
    {CTA_TIMEOUT, Shape::be32, "timeout", "CTA_TIMEOUT"},
    {CTA_MARK, Shape::be32, "mark", "CTA_MARK"},
    {CTA_MARK_MASK, Shape::be32, "markMask", "CTA_MARK_MASK"},
    {CTA_ID, Shape::be32, "id", "CTA_ID"},
    {CTA_ZONE, Shape::be16, "zone", "CTA_ZONE"},
    {conntrack_filter::attribute, Shape::nest, "filter", "CTA_FILTER", &filter_schema},
};
constexpr Schema schema{attributes, header, sizeof(nfgenmsg)};

constexpr uint16_t numbered(int message) { return static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message); }

constexpr MessageType messages[] = {
    {numbered(IPCTNL_MSG_CT_NEW), "IPCTNL_MSG_CT_NEW", &schema},
    {numbered(IPCTNL_MSG_CT_GET), "IPCTNL_MSG_CT_GET", &schema},
    {numbered(IPCTNL_MSG_CT_DELETE), "IPCTNL_MSG_CT_DELETE", &schema},
};

}  // namespace

std::span<const MessageType> conntrack_messages() { return messages; }

}  // namespace netlink_ct
