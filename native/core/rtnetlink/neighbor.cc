// net/core/neighbour.c: nda_policy; net/core/rtnetlink.c: the forwarding database of bridges and vxlan devices (AF_BRIDGE).
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr HeaderField header[] = {
    {"family", offsetof(ndmsg, ndm_family), 1}, {"index", offsetof(ndmsg, ndm_ifindex), 4, true},
    {"state", offsetof(ndmsg, ndm_state), 2},   {"flags", offsetof(ndmsg, ndm_flags), 1},
    {"type", offsetof(ndmsg, ndm_type), 1},
};

constexpr HeaderField ages[] = {
    {"confirmed", offsetof(nda_cacheinfo, ndm_confirmed), 4},
    {"used", offsetof(nda_cacheinfo, ndm_used), 4},
    {"updated", offsetof(nda_cacheinfo, ndm_updated), 4},
    {"references", offsetof(nda_cacheinfo, ndm_refcnt), 4},
};
constexpr Schema ages_schema{{}, ages, sizeof(nda_cacheinfo)};

constexpr Attribute attributes[] = {
    {NDA_DST, Shape::ip, "address", "NDA_DST"},
    {NDA_LLADDR, Shape::mac, "mac", "NDA_LLADDR"},
    {NDA_CACHEINFO, Shape::structure, "ages", "NDA_CACHEINFO", &ages_schema},
    {NDA_PROBES, Shape::u32, "probes", "NDA_PROBES"},
    {NDA_VLAN, Shape::u16, "vlan", "NDA_VLAN"},
    {NDA_PORT, Shape::be16, "port", "NDA_PORT"},
    {NDA_VNI, Shape::u32, "vni", "NDA_VNI"},
    {NDA_IFINDEX, Shape::u32, "via", "NDA_IFINDEX"},
    {NDA_MASTER, Shape::u32, "master", "NDA_MASTER"},
    {NDA_LINK_NETNSID, Shape::s32, "linkNetnsid", "NDA_LINK_NETNSID"},
    {NDA_SRC_VNI, Shape::u32, "sourceVni", "NDA_SRC_VNI"},
    {NDA_PROTOCOL, Shape::u8, "protocol", "NDA_PROTOCOL"},
    {NDA_NH_ID, Shape::u32, "nexthopId", "NDA_NH_ID"},
    {NDA_FLAGS_EXT, Shape::u32, "extendedFlags", "NDA_FLAGS_EXT"},
    {NDA_NDM_STATE_MASK, Shape::u16, "stateMask", "NDA_NDM_STATE_MASK"},
    {NDA_NDM_FLAGS_MASK, Shape::u8, "flagsMask", "NDA_NDM_FLAGS_MASK"},
};

}  // namespace

constinit const Schema neighbor_schema{attributes, header, sizeof(ndmsg)};

}  // namespace netlink_ct
