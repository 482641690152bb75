// net/core/fib_rules.c: fib_rule_policy.
#include <linux/fib_rules.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

// Newer than some headers, so the numbers stand here.
constexpr uint16_t fra_dscp = 25;       // since Linux 6.13
constexpr uint16_t fra_flowlabel = 26;  // 6.14; also the next
constexpr uint16_t fra_flowlabel_mask = 27;
constexpr uint16_t fra_sport_mask = 28;  // 6.15; also the next two
constexpr uint16_t fra_dport_mask = 29;
constexpr uint16_t fra_dscp_mask = 30;

constexpr HeaderField header[] = {
    {"family", offsetof(fib_rule_hdr, family), 1},      {"toLength", offsetof(fib_rule_hdr, dst_len), 1},
    {"fromLength", offsetof(fib_rule_hdr, src_len), 1}, {"tos", offsetof(fib_rule_hdr, tos), 1},
    {"headerTable", offsetof(fib_rule_hdr, table), 1},  {"action", offsetof(fib_rule_hdr, action), 1},
    {"flags", offsetof(fib_rule_hdr, flags), 4},
};

constexpr HeaderField uids[] = {
    {"start", offsetof(fib_rule_uid_range, start), 4},
    {"end", offsetof(fib_rule_uid_range, end), 4},
};
constexpr Schema uids_schema{{}, uids, sizeof(fib_rule_uid_range)};

constexpr HeaderField ports[] = {
    {"start", offsetof(fib_rule_port_range, start), 2},
    {"end", offsetof(fib_rule_port_range, end), 2},
};
constexpr Schema ports_schema{{}, ports, sizeof(fib_rule_port_range)};

constexpr Attribute attributes[] = {
    {FRA_DST, Shape::ip, "to", "FRA_DST"},
    {FRA_SRC, Shape::ip, "from", "FRA_SRC"},
    {FRA_IIFNAME, Shape::text, "iif", "FRA_IIFNAME"},
    {FRA_OIFNAME, Shape::text, "oif", "FRA_OIFNAME"},
    {FRA_GOTO, Shape::u32, "goto", "FRA_GOTO"},
    {FRA_PRIORITY, Shape::u32, "priority", "FRA_PRIORITY"},
    {FRA_FWMARK, Shape::u32, "mark", "FRA_FWMARK"},
    {FRA_FWMASK, Shape::u32, "mask", "FRA_FWMASK"},
    {FRA_FLOW, Shape::u32, "realm", "FRA_FLOW"},
    {FRA_TUN_ID, Shape::be64, "tunnelId", "FRA_TUN_ID"},
    {FRA_SUPPRESS_IFGROUP, Shape::u32, "suppressGroup", "FRA_SUPPRESS_IFGROUP"},
    {FRA_SUPPRESS_PREFIXLEN, Shape::u32, "suppressPrefixLength", "FRA_SUPPRESS_PREFIXLEN"},
    {FRA_TABLE, Shape::u32, "table", "FRA_TABLE"},
    {FRA_L3MDEV, Shape::u8, "l3mdev", "FRA_L3MDEV"},
    {FRA_UID_RANGE, Shape::structure, "uids", "FRA_UID_RANGE", &uids_schema},
    {FRA_PROTOCOL, Shape::u8, "protocol", "FRA_PROTOCOL"},
    {FRA_IP_PROTO, Shape::u8, "ipProtocol", "FRA_IP_PROTO"},
    {FRA_SPORT_RANGE, Shape::structure, "sourcePorts", "FRA_SPORT_RANGE", &ports_schema},
    {FRA_DPORT_RANGE, Shape::structure, "destinationPorts", "FRA_DPORT_RANGE", &ports_schema},
    {fra_dscp, Shape::u8, "dscp", "FRA_DSCP"},
    {fra_flowlabel, Shape::be32, "flowLabel", "FRA_FLOWLABEL"},
    {fra_flowlabel_mask, Shape::be32, "flowLabelMask", "FRA_FLOWLABEL_MASK"},
    {fra_sport_mask, Shape::u16, "sourcePortMask", "FRA_SPORT_MASK"},
    {fra_dport_mask, Shape::u16, "destinationPortMask", "FRA_DPORT_MASK"},
    {fra_dscp_mask, Shape::u8, "dscpMask", "FRA_DSCP_MASK"},
};

}  // namespace

constinit const Schema rule_schema{attributes, header, sizeof(fib_rule_hdr)};

}  // namespace netlink_ct
