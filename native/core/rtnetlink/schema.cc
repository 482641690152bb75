#include "core/rtnetlink/schema.h"

#include <linux/rtnetlink.h>

namespace netlink_ct {
namespace {

constexpr MessageType messages[] = {
    {RTM_NEWLINK, "RTM_NEWLINK", &link_schema},
    {RTM_DELLINK, "RTM_DELLINK", &link_schema},
    {RTM_GETLINK, "RTM_GETLINK", &link_schema},
    {RTM_SETLINK, "RTM_SETLINK", &link_schema},
    {RTM_NEWLINKPROP, "RTM_NEWLINKPROP", &link_schema},
    {RTM_DELLINKPROP, "RTM_DELLINKPROP", &link_schema},
    {RTM_NEWADDR, "RTM_NEWADDR", &address_schema},
    {RTM_NEWROUTE, "RTM_NEWROUTE", &route_schema},
    {RTM_DELADDR, "RTM_DELADDR", &address_schema},
    {RTM_GETADDR, "RTM_GETADDR", &address_schema},
    {RTM_DELROUTE, "RTM_DELROUTE", &route_schema},
    {RTM_GETROUTE, "RTM_GETROUTE", &route_schema},
    {RTM_NEWRULE, "RTM_NEWRULE", &rule_schema},
    {RTM_DELRULE, "RTM_DELRULE", &rule_schema},
    {RTM_GETRULE, "RTM_GETRULE", &rule_schema},
    {RTM_NEWNEIGH, "RTM_NEWNEIGH", &neighbor_schema},
    {RTM_DELNEIGH, "RTM_DELNEIGH", &neighbor_schema},
    {RTM_GETNEIGH, "RTM_GETNEIGH", &neighbor_schema},
    {RTM_NEWNEXTHOP, "RTM_NEWNEXTHOP", &nexthop_schema},
    {RTM_DELNEXTHOP, "RTM_DELNEXTHOP", &nexthop_schema},
    {RTM_GETNEXTHOP, "RTM_GETNEXTHOP", &nexthop_schema},
    {RTM_NEWNSID, "RTM_NEWNSID", &nsid_schema},
    {RTM_GETNSID, "RTM_GETNSID", &nsid_schema},
    {RTM_DELNSID, "RTM_DELNSID", &nsid_schema},
    {RTM_NEWQDISC, "RTM_NEWQDISC", &qdisc_schema},
    {RTM_DELQDISC, "RTM_DELQDISC", &qdisc_schema},
    {RTM_GETQDISC, "RTM_GETQDISC", &qdisc_schema},
    {RTM_NEWTCLASS, "RTM_NEWTCLASS", &class_schema},
    {RTM_DELTCLASS, "RTM_DELTCLASS", &class_schema},
    {RTM_GETTCLASS, "RTM_GETTCLASS", &class_schema},
    {RTM_NEWTFILTER, "RTM_NEWTFILTER", &filter_schema},
    {RTM_DELTFILTER, "RTM_DELTFILTER", &filter_schema},
    {RTM_GETTFILTER, "RTM_GETTFILTER", &filter_schema},
    {RTM_NEWNEIGHTBL, "RTM_NEWNEIGHTBL", &neighbor_table_schema},
    {RTM_GETNEIGHTBL, "RTM_GETNEIGHTBL", &neighbor_table_schema},
    {RTM_SETNEIGHTBL, "RTM_SETNEIGHTBL", &neighbor_table_schema},
    {RTM_NEWVLAN, "RTM_NEWVLAN", &bridge_vlan_schema},
    {RTM_GETVLAN, "RTM_GETVLAN", &bridge_vlan_dump_schema},
    {RTM_NEWMDB, "RTM_NEWMDB", &mdb_change_schema, &mdb_schema},
    {RTM_DELMDB, "RTM_DELMDB", &mdb_change_schema, &mdb_schema},
    {RTM_GETMDB, "RTM_GETMDB", &mdb_schema},
};

}  // namespace

std::span<const MessageType> rtnetlink_messages() { return messages; }

namespace rtm {
constinit const MessageType& newlink = messages[0];
constinit const MessageType& dellink = messages[1];
constinit const MessageType& getlink = messages[2];
constinit const MessageType& setlink = messages[3];
constinit const MessageType& newlinkprop = messages[4];
constinit const MessageType& dellinkprop = messages[5];
constinit const MessageType& newaddr = messages[6];
constinit const MessageType& newroute = messages[7];
}  // namespace rtm

}  // namespace netlink_ct
