// net/sched/sch_netem.c: netem_policy; a structure in front of the attributes. Times are ticks of 64 ns, probabilities parts of
// 2^32 - 1. The kernel tells its times in nanoseconds as well (signed, never negative).
#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"latency", offsetof(tc_netem_qopt, latency), 4},     {"limit", offsetof(tc_netem_qopt, limit), 4},
    {"loss", offsetof(tc_netem_qopt, loss), 4},           {"gap", offsetof(tc_netem_qopt, gap), 4},
    {"duplicate", offsetof(tc_netem_qopt, duplicate), 4}, {"jitter", offsetof(tc_netem_qopt, jitter), 4},
};

constexpr HeaderField correlation[] = {
    {"delay", offsetof(tc_netem_corr, delay_corr), 4},
    {"loss", offsetof(tc_netem_corr, loss_corr), 4},
    {"duplicate", offsetof(tc_netem_corr, dup_corr), 4},
};
constexpr Schema correlation_schema{{}, correlation, sizeof(tc_netem_corr)};

// Of reordering and of corruption.
constexpr HeaderField chance[] = {
    {"probability", offsetof(tc_netem_reorder, probability), 4},
    {"correlation", offsetof(tc_netem_reorder, correlation), 4},
};
constexpr Schema chance_schema{{}, chance, sizeof(tc_netem_reorder)};

constexpr HeaderField rate[] = {
    {"rate", offsetof(tc_netem_rate, rate), 4},
    {"packetOverhead", offsetof(tc_netem_rate, packet_overhead), 4, true},
    {"cellSize", offsetof(tc_netem_rate, cell_size), 4},
    {"cellOverhead", offsetof(tc_netem_rate, cell_overhead), 4, true},
};
constexpr Schema rate_schema{{}, rate, sizeof(tc_netem_rate)};

constexpr Attribute attributes[] = {
    {TCA_NETEM_CORR, Shape::structure, "correlation", "TCA_NETEM_CORR", &correlation_schema},
    {TCA_NETEM_REORDER, Shape::structure, "reorder", "TCA_NETEM_REORDER", &chance_schema},
    {TCA_NETEM_CORRUPT, Shape::structure, "corrupt", "TCA_NETEM_CORRUPT", &chance_schema},
    {TCA_NETEM_RATE64, Shape::u64, "rate64", "TCA_NETEM_RATE64"},
    {TCA_NETEM_RATE, Shape::structure, "rate", "TCA_NETEM_RATE", &rate_schema},
    {TCA_NETEM_ECN, Shape::u32, "ecn", "TCA_NETEM_ECN"},
    {TCA_NETEM_LATENCY64, Shape::u64, "latency64", "TCA_NETEM_LATENCY64"},
    {TCA_NETEM_JITTER64, Shape::u64, "jitter64", "TCA_NETEM_JITTER64"},
};

}  // namespace

constinit const Schema netem_schema{attributes, header, sizeof(tc_netem_qopt)};

}  // namespace netlink_ct
