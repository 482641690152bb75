// net/core/gen_stats.c. Read only.
#include <linux/gen_stats.h>

#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField basic[] = {
    {"bytes", offsetof(gnet_stats_basic, bytes), 8},
    {"packets", offsetof(gnet_stats_basic, packets), 4},
};
constexpr Schema basic_schema{{}, basic, sizeof(gnet_stats_basic)};

constexpr HeaderField queue[] = {
    {"length", offsetof(gnet_stats_queue, qlen), 4},           {"backlog", offsetof(gnet_stats_queue, backlog), 4},
    {"drops", offsetof(gnet_stats_queue, drops), 4},           {"requeues", offsetof(gnet_stats_queue, requeues), 4},
    {"overlimits", offsetof(gnet_stats_queue, overlimits), 4},
};
constexpr Schema queue_schema{{}, queue, sizeof(gnet_stats_queue)};

constexpr Attribute attributes[] = {
    {TCA_STATS_BASIC, Shape::structure, "basic", "TCA_STATS_BASIC", &basic_schema},
    {TCA_STATS_QUEUE, Shape::structure, "queue", "TCA_STATS_QUEUE", &queue_schema},
    {TCA_STATS_PKT64, Shape::u64, "packets", "TCA_STATS_PKT64"},
};

}  // namespace

constinit const Schema traffic_statistics_schema{attributes};

}  // namespace netlink_ct
