// net/sched/sch_fq_codel.c: fq_codel_policy. Times are in microseconds.
#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {TCA_FQ_CODEL_LIMIT, Shape::u32, "limit", "TCA_FQ_CODEL_LIMIT"},
    {TCA_FQ_CODEL_FLOWS, Shape::u32, "flows", "TCA_FQ_CODEL_FLOWS"},
    {TCA_FQ_CODEL_QUANTUM, Shape::u32, "quantum", "TCA_FQ_CODEL_QUANTUM"},
    {TCA_FQ_CODEL_INTERVAL, Shape::u32, "interval", "TCA_FQ_CODEL_INTERVAL"},
    {TCA_FQ_CODEL_TARGET, Shape::u32, "target", "TCA_FQ_CODEL_TARGET"},
    {TCA_FQ_CODEL_ECN, Shape::u32, "ecn", "TCA_FQ_CODEL_ECN"},
    {TCA_FQ_CODEL_CE_THRESHOLD, Shape::u32, "ceThreshold", "TCA_FQ_CODEL_CE_THRESHOLD"},
    {TCA_FQ_CODEL_MEMORY_LIMIT, Shape::u32, "memoryLimit", "TCA_FQ_CODEL_MEMORY_LIMIT"},
    {TCA_FQ_CODEL_DROP_BATCH_SIZE, Shape::u32, "dropBatchSize", "TCA_FQ_CODEL_DROP_BATCH_SIZE"},
};

}  // namespace

constinit const Schema fq_codel_schema{attributes};

}  // namespace netlink_ct
