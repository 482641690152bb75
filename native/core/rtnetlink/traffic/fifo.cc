// net/sched/sch_fifo.c and sch_ingress.c: the options are a bare structure, or none.
#include "core/rtnetlink/traffic/traffic.h"

namespace netlink_ct {
namespace {

constexpr HeaderField limit[] = {
    {"limit", offsetof(tc_fifo_qopt, limit), 4},
};

}  // namespace

constinit const Schema fifo_schema{{}, limit, sizeof(tc_fifo_qopt)};
constinit const Schema ingress_schema{};

}  // namespace netlink_ct
