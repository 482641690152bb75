// What TCA_OPTIONS holds for each kind of queueing discipline, class and filter, and what they share; one file a kind.
#pragma once

#include <linux/pkt_sched.h>

#include <cstddef>

#include "core/netlink/schema.h"

namespace netlink_ct {

extern const Schema tbf_schema;
extern const Schema htb_schema;  // of the queueing discipline and of its classes
extern const Schema fq_codel_schema;
extern const Schema netem_schema;
extern const Schema fifo_schema;     // pfifo, bfifo, and their head-drop sister
extern const Schema ingress_schema;  // ingress, clsact: nothing

extern const Schema u32_schema;
extern const Schema matchall_schema;
extern const Schema flower_schema;

extern const Schema action_schema;              // one action of a filter, TCA_ACT_*
extern const Schema traffic_statistics_schema;  // TCA_STATS2 and TCA_ACT_STATS, TCA_STATS_*

// tc_ratespec, as the fields of the structure that it is a part of. `rate` is in bytes a second. The rest of it is for rate
// tables, which the kernel needs only where no link layer is named.
#define NETLINK_CT_RATE_FIELDS(structure, member, name)                                             \
  {name "CellLog", offsetof(structure, member) + offsetof(tc_ratespec, cell_log), 1},               \
      {name "LinkLayer", offsetof(structure, member) + offsetof(tc_ratespec, linklayer), 1},        \
      {name "Overhead", offsetof(structure, member) + offsetof(tc_ratespec, overhead), 2},          \
      {name "CellAlign", offsetof(structure, member) + offsetof(tc_ratespec, cell_align), 2, true}, \
      {name "Mpu", offsetof(structure, member) + offsetof(tc_ratespec, mpu), 2},                    \
      {name, offsetof(structure, member) + offsetof(tc_ratespec, rate), 4}

}  // namespace netlink_ct
