// The hot path: one container joined to a bridge, or routed to point to point, or nothing at all. What is made is made in one
// submission per namespace and one transaction for ports; around them are two questions (is the lease free, do ports of a dead
// container lead to it) and one message that only a host end that is certainly ours may get.
#pragma once

#include <linux/rtnetlink.h>

#include <memory>
#include <string>
#include <vector>

#include "core/container/probe.h"
#include "core/container/publish.h"
#include "core/netns/home.h"

namespace netlink_ct {

// What is the same for all addresses of one family.
struct AddressFamily {
  uint8_t prefix_length = 0;
  PortSets ports;
  Bytes gateway;
};

// A place in the network that may be free: whoever creates the device of that name has it.
struct Lease {
  std::string host_ifname;
  std::string claim;             // another place's name that the host end takes, too; empty for none
  std::vector<Bytes> addresses;  // 4 bytes or 16, one for each of the plan's families
  Bytes mac;                     // of the container's end, derived from the first address
  std::vector<Element> senders;  // what its device may send as, where the network asks who sends
};

struct AttachRoute {
  Bytes destination;  // empty: the default route
  uint8_t prefix_length = 0;
  Bytes gateway;        // empty: on link
  bool onlink = false;  // the gateway is a neighbor, whatever the addresses say
  uint32_t metric = 0;  // 0: the kernel's default
  // RTN_UNICAST, or a refusal (RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT), which is no device's and stays when ours goes.
  uint8_t type = RTN_UNICAST;
};

// A setting inside, below /proc/sys/net.
struct AttachSysctl {
  std::string path;
  std::string value;
  bool of_device = false;  // goes with the device
};

// The sets of a network that asks who sends.
struct SenderSets {
  uint8_t family = 0;             // of their table
  std::string networks;           // has the group; empty: the network does not ask
  std::string chosen;             // has the host end's name, where its elements do not follow from that
  std::vector<std::string> sets;  // whose keys start with the host end's name
};

// Where an element to publish holds the leased address, which is known only when the lease is taken: in front of the data or the
// key.
enum class AddressIn : uint8_t { data, key, neither };

struct PublishedElement {
  Element element;
  size_t address = 0;  // which of the lease's addresses
  AddressIn address_in = AddressIn::neither;
};

// In a set of addresses or out of it: what a container that died left there is not this one's.
struct Member {
  PublishedElement element;
  bool in = false;
};

struct AttachPlan {
  std::shared_ptr<Namespace> host;
  std::shared_ptr<Namespace> inside;  // null: a new namespace
  bool ipv6 = false;                  // else IPv6 is turned off inside
  uint32_t master = 0;                // ifindex of the bridge; 0: the host routes to each container
  Bytes host_mac;                     // of the host end; without a bridge the container knows it; empty: a random one
  uint32_t mtu = 0;                   // 0: the kernel's default
  uint32_t group = 0;                 // IFLA_GROUP of the host end
  bool loose = true;                  // the container takes what it would answer through another network (rp_filter 2)
  bool isolated = false;              // the bridge keeps the port from other isolated ones
  uint32_t index = 0;                 // ifindex of the host end; 0: the next of the private range, from a random start on
  std::string ifname;                 // inside
  std::string alias;                  // of the host end: what is remembered of the endpoint
  std::string altname;                // of the host end: the endpoint's unique name
  std::vector<AddressFamily> families;
  std::vector<Lease> leases;  // tried in order
  std::vector<AttachRoute> routes;
  std::vector<AttachSysctl> sysctls;  // written in this order before the link comes up
  std::vector<HostPort> host_ports;   // of the host, that no process may have
  std::vector<PublishedElement> elements;
  std::vector<Flow> flows;  // conntrack entries to forget once the ports are published
  TableName table;
  SenderSets senders;
  std::string networks_set;      // has the group, if the firewall knows the network; empty: not to be asked for
  std::string networks_comment;  // of that element: what stands for the policies that `members` were chosen by
  std::vector<Member> members;   // of sets of policies; the host end's index comes behind the comment
};

struct Attached {
  std::shared_ptr<Namespace> inside;
  size_t lease = 0;  // position in the plan
  uint32_t host_index = 0;
  uint32_t index = 0;
  // What an undo gives back to a namespace that was there before.
  bool loopback_was_down = false;
  std::vector<AttachSysctl> sysctls_before;
};

// All or nothing: on error the kernel is as before. Errors carry the step in words. When every lease was taken the error is
// EADDRNOTAVAIL with the step "lease an address".
Result<Attached> attach(Home& home, const AttachPlan& plan);

}  // namespace netlink_ct
