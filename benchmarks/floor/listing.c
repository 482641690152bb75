#include "listing.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

static void ask_links(struct exchange* host) {
  struct nlmsghdr* message = exchange_add(host, RTM_GETLINK, NLM_F_DUMP);
  mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
  mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static void ask_routes(struct exchange* host) {
  struct rtmsg* route = mnl_nlmsg_put_extra_header(exchange_add(host, RTM_GETROUTE, NLM_F_DUMP), sizeof *route);
  route->rtm_family = AF_INET;
  route->rtm_table = RT_TABLE_MAIN;
}

static void ask_addresses(struct exchange* host) {
  struct ifaddrmsg* address = mnl_nlmsg_put_extra_header(exchange_add(host, RTM_GETADDR, NLM_F_DUMP), sizeof *address);
  address->ifa_family = AF_INET;
}

int list_all(struct exchange* host, const char* subject) {
  // With strict checking the kernel filters.
  int on = 1;
  mnl_socket_setsockopt(host->socket, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (strcmp(subject, "links") == 0)
    ask_links(host);
  else if (strcmp(subject, "routes") == 0)
    ask_routes(host);
  else
    ask_addresses(host);
  return exchange_count(host, subject);
}

void routes_add(struct exchange* host, int count, int at_once, const char* device) {
  const uint32_t index = if_nametoindex(device);
  for (int i = 0; i < count; i++) {
    struct nlmsghdr* message = exchange_add(host, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg* route = mnl_nlmsg_put_extra_header(message, sizeof *route);
    route->rtm_family = AF_INET;
    route->rtm_dst_len = 32;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = RT_SCOPE_LINK;
    route->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(message, RTA_DST, htonl(10u << 24 | (uint32_t)i));
    mnl_attr_put_u32(message, RTA_OIF, index);
    if ((i + 1) % at_once == 0 || i + 1 == count) exchange_run(host, "routes");
  }
}
