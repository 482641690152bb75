// net/core/rtnetlink.c: ifla_policy.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstddef>

#include "core/rtnetlink/kind/kinds.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {

constinit const HeaderField link_header[5] = {
    {"family", offsetof(ifinfomsg, ifi_family), 1},     {"type", offsetof(ifinfomsg, ifi_type), 2},
    {"index", offsetof(ifinfomsg, ifi_index), 4, true}, {"flags", offsetof(ifinfomsg, ifi_flags), 4},
    {"change", offsetof(ifinfomsg, ifi_change), 4},
};

namespace {

// Since Linux 6.3: newer than some headers, so the numbers stand here.
constexpr uint16_t gso_ipv4_max_size = 63;
constexpr uint16_t gro_ipv4_max_size = 64;

constexpr Choice kinds[] = {
    {"veth", &veth_schema},       {"bridge", &bridge_schema}, {"vlan", &vlan_schema},     {"macvlan", &macvlan_schema},
    {"macvtap", &macvlan_schema}, {"ipvlan", &ipvlan_schema}, {"ipvtap", &ipvlan_schema}, {"vxlan", &vxlan_schema},
    {"vrf", &vrf_schema},         {"tun", &tun_schema},       {"netkit", &netkit_schema},
};

constexpr Choice port_kinds[] = {
    {"bridge", &bridge_port_schema},
    {"vrf", &vrf_port_schema},
};

constexpr uint8_t counter = sizeof(uint64_t);
// Since Linux 5.19, like the numbers above.
constexpr uint8_t rx_otherhost_dropped = offsetof(rtnl_link_stats64, rx_nohandler) + counter;
constexpr HeaderField statistics[] = {
    {"rxPackets", offsetof(rtnl_link_stats64, rx_packets), counter},
    {"txPackets", offsetof(rtnl_link_stats64, tx_packets), counter},
    {"rxBytes", offsetof(rtnl_link_stats64, rx_bytes), counter},
    {"txBytes", offsetof(rtnl_link_stats64, tx_bytes), counter},
    {"rxErrors", offsetof(rtnl_link_stats64, rx_errors), counter},
    {"txErrors", offsetof(rtnl_link_stats64, tx_errors), counter},
    {"rxDropped", offsetof(rtnl_link_stats64, rx_dropped), counter},
    {"txDropped", offsetof(rtnl_link_stats64, tx_dropped), counter},
    {"multicast", offsetof(rtnl_link_stats64, multicast), counter},
    {"collisions", offsetof(rtnl_link_stats64, collisions), counter},
    {"rxLengthErrors", offsetof(rtnl_link_stats64, rx_length_errors), counter},
    {"rxOverErrors", offsetof(rtnl_link_stats64, rx_over_errors), counter},
    {"rxCrcErrors", offsetof(rtnl_link_stats64, rx_crc_errors), counter},
    {"rxFrameErrors", offsetof(rtnl_link_stats64, rx_frame_errors), counter},
    {"rxFifoErrors", offsetof(rtnl_link_stats64, rx_fifo_errors), counter},
    {"rxMissedErrors", offsetof(rtnl_link_stats64, rx_missed_errors), counter},
    {"txAbortedErrors", offsetof(rtnl_link_stats64, tx_aborted_errors), counter},
    {"txCarrierErrors", offsetof(rtnl_link_stats64, tx_carrier_errors), counter},
    {"txFifoErrors", offsetof(rtnl_link_stats64, tx_fifo_errors), counter},
    {"txHeartbeatErrors", offsetof(rtnl_link_stats64, tx_heartbeat_errors), counter},
    {"txWindowErrors", offsetof(rtnl_link_stats64, tx_window_errors), counter},
    {"rxCompressed", offsetof(rtnl_link_stats64, rx_compressed), counter},
    {"txCompressed", offsetof(rtnl_link_stats64, tx_compressed), counter},
    {"rxNoHandler", offsetof(rtnl_link_stats64, rx_nohandler), counter},
    {"rxOtherHostDropped", rx_otherhost_dropped, counter},
};
constexpr Schema statistics_schema{{}, statistics, rx_otherhost_dropped + counter};

constexpr Attribute info[] = {
    {IFLA_INFO_KIND, Shape::text, "kind", "IFLA_INFO_KIND"},
    {IFLA_INFO_DATA, Shape::chosen, "data", "IFLA_INFO_DATA", nullptr, 0, "kind", kinds},
    {IFLA_INFO_SLAVE_KIND, Shape::text, "portKind", "IFLA_INFO_SLAVE_KIND"},
    {IFLA_INFO_SLAVE_DATA, Shape::chosen, "portData", "IFLA_INFO_SLAVE_DATA", nullptr, 0, "portKind", port_kinds},
};
constexpr Schema info_schema{info};

constexpr Attribute inet[] = {
    {.number = IFLA_INET_CONF, .shape = Shape::numbers, .name = "conf", .kernel = "IFLA_INET_CONF", .on_request = true},
};
constexpr Schema inet_schema{inet};

constexpr Attribute inet6[] = {
    {.number = IFLA_INET6_CONF, .shape = Shape::numbers, .name = "conf", .kernel = "IFLA_INET6_CONF", .on_request = true},
    {IFLA_INET6_FLAGS, Shape::u32, "flags", "IFLA_INET6_FLAGS"},
    {IFLA_INET6_ADDR_GEN_MODE, Shape::u8, "addrGenMode", "IFLA_INET6_ADDR_GEN_MODE"},
};
constexpr Schema inet6_schema{inet6};

constexpr Attribute families[] = {
    {AF_INET, Shape::nest, "inet", "AF_INET", &inet_schema},
    {AF_INET6, Shape::nest, "inet6", "AF_INET6", &inet6_schema},
};
constexpr Schema families_schema{families};

constexpr Attribute attributes[] = {
    {IFLA_IFNAME, Shape::text, "name", "IFLA_IFNAME"},
    {IFLA_ALT_IFNAME, Shape::text, "altname", "IFLA_ALT_IFNAME"},
    {IFLA_ADDRESS, Shape::mac, "mac", "IFLA_ADDRESS"},
    {IFLA_BROADCAST, Shape::mac, "broadcast", "IFLA_BROADCAST"},
    {IFLA_PERM_ADDRESS, Shape::mac, "permanentMac", "IFLA_PERM_ADDRESS"},
    {IFLA_MTU, Shape::u32, "mtu", "IFLA_MTU"},
    {IFLA_MIN_MTU, Shape::u32, "minMtu", "IFLA_MIN_MTU"},
    {IFLA_MAX_MTU, Shape::u32, "maxMtu", "IFLA_MAX_MTU"},
    {IFLA_LINK, Shape::u32, "link", "IFLA_LINK"},
    {IFLA_LINK_NETNSID, Shape::s32, "linkNetnsid", "IFLA_LINK_NETNSID"},
    {IFLA_MASTER, Shape::u32, "master", "IFLA_MASTER"},
    {IFLA_TXQLEN, Shape::u32, "txqlen", "IFLA_TXQLEN"},
    {IFLA_OPERSTATE, Shape::u8, "operstate", "IFLA_OPERSTATE"},
    {IFLA_LINKMODE, Shape::u8, "linkMode", "IFLA_LINKMODE"},
    {IFLA_GROUP, Shape::u32, "group", "IFLA_GROUP"},
    {IFLA_PROMISCUITY, Shape::u32, "promiscuity", "IFLA_PROMISCUITY"},
    {IFLA_ALLMULTI, Shape::u32, "allmulti", "IFLA_ALLMULTI"},
    {IFLA_NUM_TX_QUEUES, Shape::u32, "txQueues", "IFLA_NUM_TX_QUEUES"},
    {IFLA_NUM_RX_QUEUES, Shape::u32, "rxQueues", "IFLA_NUM_RX_QUEUES"},
    {IFLA_GSO_MAX_SEGS, Shape::u32, "gsoMaxSegments", "IFLA_GSO_MAX_SEGS"},
    {IFLA_GSO_MAX_SIZE, Shape::u32, "gsoMaxSize", "IFLA_GSO_MAX_SIZE"},
    {IFLA_GRO_MAX_SIZE, Shape::u32, "groMaxSize", "IFLA_GRO_MAX_SIZE"},
    {gso_ipv4_max_size, Shape::u32, "gsoIpv4MaxSize", "IFLA_GSO_IPV4_MAX_SIZE"},
    {gro_ipv4_max_size, Shape::u32, "groIpv4MaxSize", "IFLA_GRO_IPV4_MAX_SIZE"},
    {.number = IFLA_STATS64,
     .shape = Shape::structure,
     .name = "statistics",
     .kernel = "IFLA_STATS64",
     .schema = &statistics_schema,
     .on_request = true},
    {IFLA_CARRIER, Shape::u8, "carrier", "IFLA_CARRIER"},
    {IFLA_PROTO_DOWN, Shape::u8, "protodown", "IFLA_PROTO_DOWN"},
    {IFLA_QDISC, Shape::text, "qdisc", "IFLA_QDISC"},
    {IFLA_IFALIAS, Shape::chars, "alias", "IFLA_IFALIAS"},
    {IFLA_NET_NS_PID, Shape::u32, "netnsPid", "IFLA_NET_NS_PID"},
    {IFLA_NET_NS_FD, Shape::u32, "netnsFd", "IFLA_NET_NS_FD"},
    {IFLA_TARGET_NETNSID, Shape::s32, "targetNetnsid", "IFLA_TARGET_NETNSID"},
    {IFLA_NEW_NETNSID, Shape::s32, "newNetnsid", "IFLA_NEW_NETNSID"},
    {IFLA_NEW_IFINDEX, Shape::s32, "newIndex", "IFLA_NEW_IFINDEX"},
    {IFLA_EXT_MASK, Shape::u32, "extMask", "IFLA_EXT_MASK"},
    {IFLA_PROP_LIST, Shape::texts, "altnames", "IFLA_PROP_LIST", nullptr, IFLA_ALT_IFNAME},
    {IFLA_AF_SPEC, Shape::nest, "afSpec", "IFLA_AF_SPEC", &families_schema},
    {IFLA_LINKINFO, Shape::nest, "info", "IFLA_LINKINFO", &info_schema},
};

}  // namespace

constinit const Schema link_schema{attributes, link_header, sizeof(ifinfomsg), &bridge_link_schema};

}  // namespace netlink_ct
