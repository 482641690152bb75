// net/sched/sch_htb.c: htb_policy, the same for the queueing discipline (init) and its classes (parameters).
#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField init[] = {
    {"version", offsetof(tc_htb_glob, version), 4},           {"rateToQuantum", offsetof(tc_htb_glob, rate2quantum), 4},
    {"defaultClass", offsetof(tc_htb_glob, defcls), 4},       {"debug", offsetof(tc_htb_glob, debug), 4},
    {"directPackets", offsetof(tc_htb_glob, direct_pkts), 4},
};
constexpr Schema init_schema{{}, init, sizeof(tc_htb_glob)};

constexpr HeaderField parameters[] = {
    NETLINK_CT_RATE_FIELDS(tc_htb_opt, rate, "rate"), NETLINK_CT_RATE_FIELDS(tc_htb_opt, ceil, "ceil"),
    {"buffer", offsetof(tc_htb_opt, buffer), 4},      {"ceilBuffer", offsetof(tc_htb_opt, cbuffer), 4},
    {"quantum", offsetof(tc_htb_opt, quantum), 4},    {"level", offsetof(tc_htb_opt, level), 4},
    {"priority", offsetof(tc_htb_opt, prio), 4},
};
constexpr Schema parameters_schema{{}, parameters, sizeof(tc_htb_opt)};

constexpr Attribute attributes[] = {
    {TCA_HTB_INIT, Shape::structure, "init", "TCA_HTB_INIT", &init_schema},
    {TCA_HTB_PARMS, Shape::structure, "parameters", "TCA_HTB_PARMS", &parameters_schema},
    {TCA_HTB_DIRECT_QLEN, Shape::u32, "directQueueLength", "TCA_HTB_DIRECT_QLEN"},
    {TCA_HTB_RATE64, Shape::u64, "rate64", "TCA_HTB_RATE64"},
    {TCA_HTB_CEIL64, Shape::u64, "ceil64", "TCA_HTB_CEIL64"},
    {TCA_HTB_RTAB, Shape::bytes, "rateTable", "TCA_HTB_RTAB"},
    {TCA_HTB_CTAB, Shape::bytes, "ceilTable", "TCA_HTB_CTAB"},
    {TCA_HTB_OFFLOAD, Shape::flag, "offload", "TCA_HTB_OFFLOAD"},
};

}  // namespace

constinit const Schema htb_schema{attributes};

}  // namespace netlink_ct
