// The messages of rtnetlink(7), one file an object.
#pragma once

#include "core/netlink/schema.h"

namespace netlink_ct {

std::span<const MessageType> rtnetlink_messages();

extern const HeaderField link_header[5];      // ifinfomsg
extern const Schema link_schema;              // ifinfomsg, IFLA_*
extern const Schema bridge_link_schema;       // the same of AF_BRIDGE
extern const Schema address_schema;           // ifaddrmsg, IFA_*
extern const Schema route_schema;             // rtmsg, RTA_*
extern const Schema rule_schema;              // fib_rule_hdr, FRA_*
extern const Schema neighbor_schema;          // ndmsg, NDA_*
extern const Schema neighbor_table_schema;    // ndtmsg, NDTA_*
extern const Schema nexthop_schema;           // nhmsg, NHA_*
extern const Schema nsid_schema;              // rtgenmsg, NETNSA_*
extern const Schema bridge_vlan_schema;       // br_vlan_msg, BRIDGE_VLANDB_*
extern const Schema bridge_vlan_dump_schema;  // br_vlan_msg, BRIDGE_VLANDB_DUMP_*
extern const Schema mdb_schema;               // br_port_msg, MDBA_*
extern const Schema mdb_change_schema;        // br_port_msg, MDBA_SET_*
extern const Schema qdisc_schema;             // tcmsg, TCA_*; also the next two
extern const Schema class_schema;
extern const Schema filter_schema;

// The message types that the composed operations name themselves.
namespace rtm {
extern const MessageType& newlink;
extern const MessageType& dellink;
extern const MessageType& getlink;
extern const MessageType& setlink;
extern const MessageType& newlinkprop;
extern const MessageType& dellinkprop;
extern const MessageType& newaddr;
extern const MessageType& newroute;
}  // namespace rtm

}  // namespace netlink_ct
