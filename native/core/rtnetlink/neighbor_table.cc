// net/core/neighbour.c: nl_neightbl_policy, nl_ntbl_parm_policy.
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(ndtmsg, ndtm_family), 1},
};

constexpr HeaderField config[] = {
    {"keyLength", offsetof(ndt_config, ndtc_key_len), 2},     {"entrySize", offsetof(ndt_config, ndtc_entry_size), 2},
    {"entries", offsetof(ndt_config, ndtc_entries), 4},       {"lastFlush", offsetof(ndt_config, ndtc_last_flush), 4},
    {"lastRandom", offsetof(ndt_config, ndtc_last_rand), 4},  {"hashRandom", offsetof(ndt_config, ndtc_hash_rnd), 4},
    {"hashMask", offsetof(ndt_config, ndtc_hash_mask), 4},    {"hashChainGc", offsetof(ndt_config, ndtc_hash_chain_gc), 4},
    {"proxyQueue", offsetof(ndt_config, ndtc_proxy_qlen), 4},
};
constexpr Schema config_schema{{}, config, sizeof(ndt_config)};

constexpr uint8_t counter = sizeof(uint64_t);
constexpr HeaderField statistics[] = {
    {"allocations", offsetof(ndt_stats, ndts_allocs), counter},
    {"destructions", offsetof(ndt_stats, ndts_destroys), counter},
    {"hashGrows", offsetof(ndt_stats, ndts_hash_grows), counter},
    {"failures", offsetof(ndt_stats, ndts_res_failed), counter},
    {"lookups", offsetof(ndt_stats, ndts_lookups), counter},
    {"hits", offsetof(ndt_stats, ndts_hits), counter},
    {"multicastProbes", offsetof(ndt_stats, ndts_rcv_probes_mcast), counter},
    {"unicastProbes", offsetof(ndt_stats, ndts_rcv_probes_ucast), counter},
    {"periodicCollections", offsetof(ndt_stats, ndts_periodic_gc_runs), counter},
    {"forcedCollections", offsetof(ndt_stats, ndts_forced_gc_runs), counter},
    {"overflows", offsetof(ndt_stats, ndts_table_fulls), counter},
};
constexpr Schema statistics_schema{{}, statistics, sizeof(ndt_stats)};

constexpr Attribute parameters[] = {
    {NDTPA_IFINDEX, Shape::u32, "index", "NDTPA_IFINDEX"},
    {NDTPA_REACHABLE_TIME, Shape::u64, "reachable", "NDTPA_REACHABLE_TIME"},
    {NDTPA_BASE_REACHABLE_TIME, Shape::u64, "baseReachable", "NDTPA_BASE_REACHABLE_TIME"},
    {NDTPA_RETRANS_TIME, Shape::u64, "retrans", "NDTPA_RETRANS_TIME"},
    {NDTPA_GC_STALETIME, Shape::u64, "gcStale", "NDTPA_GC_STALETIME"},
    {NDTPA_DELAY_PROBE_TIME, Shape::u64, "delayProbe", "NDTPA_DELAY_PROBE_TIME"},
    {NDTPA_INTERVAL_PROBE_TIME_MS, Shape::u64, "intervalProbe", "NDTPA_INTERVAL_PROBE_TIME_MS"},
    {NDTPA_QUEUE_LEN, Shape::u32, "queue", "NDTPA_QUEUE_LEN"},
    {NDTPA_QUEUE_LENBYTES, Shape::u32, "queueBytes", "NDTPA_QUEUE_LENBYTES"},
    {NDTPA_APP_PROBES, Shape::u32, "appProbes", "NDTPA_APP_PROBES"},
    {NDTPA_UCAST_PROBES, Shape::u32, "ucastProbes", "NDTPA_UCAST_PROBES"},
    {NDTPA_MCAST_PROBES, Shape::u32, "mcastProbes", "NDTPA_MCAST_PROBES"},
    {NDTPA_MCAST_REPROBES, Shape::u32, "mcastReprobes", "NDTPA_MCAST_REPROBES"},
    {NDTPA_ANYCAST_DELAY, Shape::u64, "anycastDelay", "NDTPA_ANYCAST_DELAY"},
    {NDTPA_PROXY_DELAY, Shape::u64, "proxyDelay", "NDTPA_PROXY_DELAY"},
    {NDTPA_PROXY_QLEN, Shape::u32, "proxyQueue", "NDTPA_PROXY_QLEN"},
    {NDTPA_LOCKTIME, Shape::u64, "locktime", "NDTPA_LOCKTIME"},
};
constexpr Schema parameters_schema{parameters};

constexpr Attribute attributes[] = {
    {NDTA_NAME, Shape::text, "name", "NDTA_NAME"},
    {NDTA_THRESH1, Shape::u32, "gcThresh1", "NDTA_THRESH1"},
    {NDTA_THRESH2, Shape::u32, "gcThresh2", "NDTA_THRESH2"},
    {NDTA_THRESH3, Shape::u32, "gcThresh3", "NDTA_THRESH3"},
    {NDTA_GC_INTERVAL, Shape::u64, "gcInterval", "NDTA_GC_INTERVAL"},
    {NDTA_CONFIG, Shape::structure, "config", "NDTA_CONFIG", &config_schema},
    {NDTA_PARMS, Shape::nest, "parameters", "NDTA_PARMS", &parameters_schema},
    {NDTA_STATS, Shape::structure, "statistics", "NDTA_STATS", &statistics_schema},
};

}  // namespace

constinit const Schema neighbor_table_schema{attributes, header, sizeof(ndtmsg)};

}  // namespace netlink_ct
