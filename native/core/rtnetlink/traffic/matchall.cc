// net/sched/cls_matchall.c: mall_policy.
#include <linux/pkt_cls.h>

#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {TCA_MATCHALL_CLASSID, Shape::u32, "classId", "TCA_MATCHALL_CLASSID"},
    {TCA_MATCHALL_ACT, Shape::list, "actions", "TCA_MATCHALL_ACT", &action_schema},
    {TCA_MATCHALL_FLAGS, Shape::u32, "flags", "TCA_MATCHALL_FLAGS"},
};

}  // namespace

constinit const Schema matchall_schema{attributes};

}  // namespace netlink_ct
