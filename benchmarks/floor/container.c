#define _GNU_SOURCE
#include "container.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum {
  group = 7777,
  first_host_index = 1000000,
  index_inside = 2,  // of a new namespace, after its loopback
  prefix_length = 16,
  first_container = 10,
};

static const uint32_t subnet = 172u << 24 | 18u << 16;

const char bridge_name[] = "floor0";

static struct ifinfomsg* link_header(struct nlmsghdr* message, int index, unsigned flags) {
  struct ifinfomsg* info = mnl_nlmsg_put_extra_header(message, sizeof *info);
  info->ifi_index = index;
  info->ifi_flags = info->ifi_change = flags;
  return info;
}

// More than one queue per end doubles the price of a pair.
static void put_one_queue(struct nlmsghdr* message) {
  mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
  mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

int bridge_create(struct exchange* host) {
  struct nlmsghdr* message = exchange_add(host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  link_header(message, first_host_index - 1, IFF_UP);
  mnl_attr_put_strz(message, IFLA_IFNAME, bridge_name);
  struct nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
  struct nlattr* data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
  mnl_attr_put_u8(message, IFLA_BR_MCAST_SNOOPING, 0);
  mnl_attr_nest_end(message, data);
  mnl_attr_nest_end(message, info);
  exchange_run(host, "bridge");
  return first_host_index - 1;
}

static void turn_off_ipv6(void) {
  const int file = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;  // a kernel without IPv6 has nothing to turn off
  if (write(file, "1", 1) != 1) fail("disable_ipv6");
  close(file);
}

static int home_netns(void) {
  static int home = -1;
  if (home < 0) home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0) fail("/proc/thread-self/ns/net");
  return home;
}

// Leaves a socket that lives in it in `inside`.
static int netns_create(struct exchange* inside) {
  const int home = home_netns();
  if (unshare(CLONE_NEWNET) != 0) fail("unshare");
  const int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (netns < 0) fail("/proc/thread-self/ns/net");
  exchange_open(inside, NETLINK_ROUTE);
  turn_off_ipv6();
  if (setns(home, CLONE_NEWNET) != 0) fail("setns");
  return netns;
}

static void veth_create(struct exchange* host, int bridge, int index, int netns) {
  char name[IFNAMSIZ];
  snprintf(name, sizeof name, "fl%d", index);
  struct nlmsghdr* message = exchange_add(host, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  link_header(message, index, IFF_UP);
  mnl_attr_put_strz(message, IFLA_IFNAME, name);
  mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t)bridge);
  mnl_attr_put_u32(message, IFLA_GROUP, group);
  put_one_queue(message);
  struct nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
  mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
  struct nlattr* data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
  struct nlattr* peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
  struct ifinfomsg* header = mnl_nlmsg_put_extra_header(message, sizeof *header);
  header->ifi_index = index_inside;  // not IFF_UP, which the kernel refuses with ENOTCONN
  mnl_attr_put_strz(message, IFLA_IFNAME, "eth0");
  mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)netns);
  put_one_queue(message);
  mnl_attr_nest_end(message, peer);
  mnl_attr_nest_end(message, data);
  mnl_attr_nest_end(message, info);
  exchange_run(host, "veth pair");
}

static void configure(struct exchange* inside, int number) {
  link_header(exchange_add(inside, RTM_NEWLINK, 0), 1, IFF_UP);
  link_header(exchange_add(inside, RTM_NEWLINK, 0), index_inside, IFF_UP);

  const uint32_t address = htonl(subnet | (uint32_t)(first_container + number));
  struct nlmsghdr* message = exchange_add(inside, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  struct ifaddrmsg* fixed = mnl_nlmsg_put_extra_header(message, sizeof *fixed);
  fixed->ifa_family = AF_INET;
  fixed->ifa_prefixlen = prefix_length;
  fixed->ifa_index = index_inside;
  mnl_attr_put_u32(message, IFA_LOCAL, address);
  mnl_attr_put_u32(message, IFA_ADDRESS, address);

  message = exchange_add(inside, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  struct rtmsg* route = mnl_nlmsg_put_extra_header(message, sizeof *route);
  route->rtm_family = AF_INET;
  route->rtm_table = RT_TABLE_MAIN;
  route->rtm_protocol = RTPROT_STATIC;
  route->rtm_type = RTN_UNICAST;
  mnl_attr_put_u32(message, RTA_GATEWAY, htonl(subnet | 1));
  mnl_attr_put_u32(message, RTA_OIF, index_inside);
  exchange_run(inside, "inside");
}

struct container container_attach(struct exchange* host, int bridge, int number) {
  static struct exchange inside;
  struct container container = {.netns = netns_create(&inside), .index = first_host_index + number};
  veth_create(host, bridge, container.index, container.netns);
  configure(&inside, number);
  exchange_close(&inside);
  return container;
}

void link_delete(struct exchange* host, int index) {
  link_header(exchange_add(host, RTM_DELLINK, 0), index, 0);
  exchange_run(host, "delete");
}

void links_delete(struct exchange* host) {
  struct nlmsghdr* message = exchange_add(host, RTM_DELLINK, 0);
  link_header(message, 0, 0);
  mnl_attr_put_u32(message, IFLA_GROUP, group);
  exchange_run(host, "delete the group");
}

void link_get(struct exchange* host, const char* name) {
  struct nlmsghdr* message = exchange_add(host, RTM_GETLINK, 0);
  link_header(message, 0, 0);
  mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  mnl_attr_put_strz(message, IFLA_IFNAME, name);
  exchange_run(host, "get");
}
