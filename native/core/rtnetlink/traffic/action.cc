// net/sched/act_api.c: tcf_action_policy; act_mirred.c, act_police.c, act_gact.c: what the actions hold.
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>

#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

// tc_gen, which starts the parameters of most actions.
#define NETLINK_CT_ACTION_FIELDS(structure)                                                                     \
  {"index", offsetof(structure, index), 4}, {"capabilities", offsetof(structure, capab), 4},                    \
      {"action", offsetof(structure, action), 4, true}, {"references", offsetof(structure, refcnt), 4, true}, { \
    "bindings", offsetof(structure, bindcnt), 4, true                                                           \
  }

constexpr HeaderField mirred[] = {
    NETLINK_CT_ACTION_FIELDS(tc_mirred),
    {"direction", offsetof(tc_mirred, eaction), 4, true},
    {"dev", offsetof(tc_mirred, ifindex), 4},
};
constexpr Schema mirred_parameters{{}, mirred, sizeof(tc_mirred)};
constexpr Attribute mirred_attributes[] = {
    {TCA_MIRRED_PARMS, Shape::structure, "parameters", "TCA_MIRRED_PARMS", &mirred_parameters},
};
constexpr Schema mirred_schema{mirred_attributes};

constexpr HeaderField gact[] = {NETLINK_CT_ACTION_FIELDS(tc_gact)};
constexpr Schema gact_parameters{{}, gact, sizeof(tc_gact)};
constexpr Attribute gact_attributes[] = {
    {TCA_GACT_PARMS, Shape::structure, "parameters", "TCA_GACT_PARMS", &gact_parameters},
};
constexpr Schema gact_schema{gact_attributes};

constexpr HeaderField police[] = {
    {"index", offsetof(tc_police, index), 4},
    {"action", offsetof(tc_police, action), 4, true},
    {"limit", offsetof(tc_police, limit), 4},
    {"burst", offsetof(tc_police, burst), 4},
    {"mtu", offsetof(tc_police, mtu), 4},
    NETLINK_CT_RATE_FIELDS(tc_police, rate, "rate"),
    NETLINK_CT_RATE_FIELDS(tc_police, peakrate, "peakRate"),
    {"references", offsetof(tc_police, refcnt), 4, true},
    {"bindings", offsetof(tc_police, bindcnt), 4, true},
    {"capabilities", offsetof(tc_police, capab), 4},
};
constexpr Schema police_parameters{{}, police, sizeof(tc_police)};
constexpr Attribute police_attributes[] = {
    {TCA_POLICE_TBF, Shape::structure, "parameters", "TCA_POLICE_TBF", &police_parameters},
    {TCA_POLICE_RATE, Shape::bytes, "rateTable", "TCA_POLICE_RATE"},
    {TCA_POLICE_PEAKRATE, Shape::bytes, "peakRateTable", "TCA_POLICE_PEAKRATE"},
    {TCA_POLICE_AVRATE, Shape::u32, "averageRate", "TCA_POLICE_AVRATE"},
    {TCA_POLICE_RESULT, Shape::s32, "result", "TCA_POLICE_RESULT"},
    {TCA_POLICE_RATE64, Shape::u64, "rate64", "TCA_POLICE_RATE64"},
    {TCA_POLICE_PEAKRATE64, Shape::u64, "peakRate64", "TCA_POLICE_PEAKRATE64"},
};
constexpr Schema police_schema{police_attributes};

constexpr Choice kinds[] = {
    {"mirred", &mirred_schema},
    {"gact", &gact_schema},
    {"police", &police_schema},
};

constexpr Attribute attributes[] = {
    {TCA_ACT_KIND, Shape::text, "kind", "TCA_ACT_KIND"},
    {TCA_ACT_OPTIONS, Shape::chosen, "options", "TCA_ACT_OPTIONS", nullptr, 0, "kind", kinds},
    {TCA_ACT_INDEX, Shape::u32, "index", "TCA_ACT_INDEX"},
    {TCA_ACT_STATS, Shape::nest, "statistics", "TCA_ACT_STATS", &traffic_statistics_schema},
    {TCA_ACT_COOKIE, Shape::bytes, "cookie", "TCA_ACT_COOKIE"},
};

}  // namespace

constinit const Schema action_schema{attributes};

}  // namespace netlink_ct
