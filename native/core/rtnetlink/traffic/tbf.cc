// net/sched/sch_tbf.c: tbf_policy. Rates are bytes a second; the buffer is a time in ticks of 64 ns, the burst its exact size in
// bytes, which the kernel prefers and never tells.
#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField parameters[] = {
    NETLINK_CT_RATE_FIELDS(tc_tbf_qopt, rate, "rate"),
    NETLINK_CT_RATE_FIELDS(tc_tbf_qopt, peakrate, "peakRate"),
    {"limit", offsetof(tc_tbf_qopt, limit), 4},
    {"buffer", offsetof(tc_tbf_qopt, buffer), 4},
    {"mtu", offsetof(tc_tbf_qopt, mtu), 4},
};
constexpr Schema parameters_schema{{}, parameters, sizeof(tc_tbf_qopt)};

constexpr Attribute attributes[] = {
    {TCA_TBF_PARMS, Shape::structure, "parameters", "TCA_TBF_PARMS", &parameters_schema},
    {TCA_TBF_BURST, Shape::u32, "burst", "TCA_TBF_BURST"},
    {TCA_TBF_RATE64, Shape::u64, "rate64", "TCA_TBF_RATE64"},
    {TCA_TBF_PRATE64, Shape::u64, "peakRate64", "TCA_TBF_PRATE64"},
    {TCA_TBF_PBURST, Shape::u32, "peakBurst", "TCA_TBF_PBURST"},
    {TCA_TBF_RTAB, Shape::bytes, "rateTable", "TCA_TBF_RTAB"},
    {TCA_TBF_PTAB, Shape::bytes, "peakRateTable", "TCA_TBF_PTAB"},
};

}  // namespace

constinit const Schema tbf_schema{attributes};

}  // namespace netlink_ct
