// net/sched/sch_api.c and cls_api.c: tcmsg and rtm_tca_policy, for queueing disciplines, classes and filters.
#include <linux/rtnetlink.h>

#include "core/rtnetlink/schema.h"
#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(tcmsg, tcm_family), 1}, {"index", offsetof(tcmsg, tcm_ifindex), 4, true},
    {"handle", offsetof(tcmsg, tcm_handle), 4}, {"parent", offsetof(tcmsg, tcm_parent), 4},
    {"info", offsetof(tcmsg, tcm_info), 4},
};

constexpr Choice qdisc_kinds[] = {
    {"tbf", &tbf_schema},        {"htb", &htb_schema},    {"fq_codel", &fq_codel_schema},    {"netem", &netem_schema},
    {"pfifo", &fifo_schema},     {"bfifo", &fifo_schema}, {"pfifo_head_drop", &fifo_schema}, {"ingress", &ingress_schema},
    {"clsact", &ingress_schema},
};

constexpr Choice class_kinds[] = {
    {"htb", &htb_schema},
};

constexpr Choice filter_kinds[] = {
    {"u32", &u32_schema},
    {"matchall", &matchall_schema},
    {"flower", &flower_schema},
};

constexpr Attribute qdisc[] = {
    {TCA_KIND, Shape::text, "kind", "TCA_KIND"},
    {TCA_OPTIONS, Shape::chosen, "options", "TCA_OPTIONS", nullptr, 0, "kind", qdisc_kinds},
    {TCA_STATS2, Shape::nest, "statistics", "TCA_STATS2", &traffic_statistics_schema},
    {TCA_HW_OFFLOAD, Shape::u8, "hardwareOffload", "TCA_HW_OFFLOAD"},
    {TCA_INGRESS_BLOCK, Shape::u32, "ingressBlock", "TCA_INGRESS_BLOCK"},
    {TCA_EGRESS_BLOCK, Shape::u32, "egressBlock", "TCA_EGRESS_BLOCK"},
};

constexpr Attribute traffic_class[] = {
    {TCA_KIND, Shape::text, "kind", "TCA_KIND"},
    {TCA_OPTIONS, Shape::chosen, "options", "TCA_OPTIONS", nullptr, 0, "kind", class_kinds},
    {TCA_STATS2, Shape::nest, "statistics", "TCA_STATS2", &traffic_statistics_schema},
};

constexpr Attribute filter[] = {
    {TCA_KIND, Shape::text, "kind", "TCA_KIND"},
    {TCA_CHAIN, Shape::u32, "chain", "TCA_CHAIN"},
    {TCA_OPTIONS, Shape::chosen, "options", "TCA_OPTIONS", nullptr, 0, "kind", filter_kinds},
};

}  // namespace

constinit const Schema qdisc_schema{qdisc, header, sizeof(tcmsg)};
constinit const Schema class_schema{traffic_class, header, sizeof(tcmsg)};
constinit const Schema filter_schema{filter, header, sizeof(tcmsg)};

}  // namespace netlink_ct
