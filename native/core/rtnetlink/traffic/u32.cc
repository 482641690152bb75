// net/sched/cls_u32.c: u32_policy. The keys (tc_u32_key) stand behind the selector, in its `rest`.
#include <linux/pkt_cls.h>

#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField selector[] = {
    {"flags", offsetof(tc_u32_sel, flags), 1},
    {"offsetShift", offsetof(tc_u32_sel, offshift), 1},
    {"keys", offsetof(tc_u32_sel, nkeys), 1},
    {"offsetMask", offsetof(tc_u32_sel, offmask), 2, false, true},
    {"offset", offsetof(tc_u32_sel, off), 2},
    {"offsetOffset", offsetof(tc_u32_sel, offoff), 2, true},
    {"hashOffset", offsetof(tc_u32_sel, hoff), 2, true},
    {"hashMask", offsetof(tc_u32_sel, hmask), 4, false, true},
};
constexpr Schema selector_schema{{}, selector, sizeof(tc_u32_sel)};

constexpr Attribute attributes[] = {
    {TCA_U32_CLASSID, Shape::u32, "classId", "TCA_U32_CLASSID"},
    {TCA_U32_HASH, Shape::u32, "hash", "TCA_U32_HASH"},
    {TCA_U32_LINK, Shape::u32, "link", "TCA_U32_LINK"},
    {TCA_U32_DIVISOR, Shape::u32, "divisor", "TCA_U32_DIVISOR"},
    {TCA_U32_SEL, Shape::structure, "selector", "TCA_U32_SEL", &selector_schema},
    {TCA_U32_ACT, Shape::list, "actions", "TCA_U32_ACT", &action_schema},
    {TCA_U32_INDEV, Shape::text, "indev", "TCA_U32_INDEV"},
    {TCA_U32_FLAGS, Shape::u32, "flags", "TCA_U32_FLAGS"},
};

}  // namespace

constinit const Schema u32_schema{attributes};

}  // namespace netlink_ct
