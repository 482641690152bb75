#include "exchange.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static char reply[65536];

void fail(const char* what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

void exchange_open(struct exchange* exchange, int protocol) {
  int on = 1;
  exchange->socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
  if (!exchange->socket || mnl_socket_bind(exchange->socket, 0, MNL_SOCKET_AUTOPID) < 0) fail("netlink socket");
  mnl_socket_setsockopt(exchange->socket, NETLINK_CAP_ACK, &on, sizeof on);
  exchange->sequence = 0;
  exchange->length = 0;
  exchange->last = NULL;
}

void exchange_close(struct exchange* exchange) { mnl_socket_close(exchange->socket); }

struct nlmsghdr* exchange_add(struct exchange* exchange, int type, int flags) {
  if (exchange->last) exchange->length += MNL_ALIGN(exchange->last->nlmsg_len);
  struct nlmsghdr* header = mnl_nlmsg_put_header(exchange->buffer + exchange->length);
  header->nlmsg_type = (uint16_t)type;
  header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
  header->nlmsg_seq = ++exchange->sequence;
  exchange->last = header;
  return header;
}

void exchange_run(struct exchange* exchange, const char* what) {
  struct nlmsghdr* last = exchange->last;
  last->nlmsg_flags |= NLM_F_ACK;
  const size_t length = exchange->length + last->nlmsg_len;
  if (mnl_socket_sendto(exchange->socket, exchange->buffer, length) < 0) fail(what);
  for (int acknowledged = 0; !acknowledged;) {
    int left = (int)mnl_socket_recvfrom(exchange->socket, reply, sizeof reply);
    if (left < 0) fail(what);
    for (struct nlmsghdr* header = (struct nlmsghdr*)reply; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
      if (header->nlmsg_type != NLMSG_ERROR) continue;
      const struct nlmsgerr* error = mnl_nlmsg_get_payload(header);
      if (error->error != 0) {
        errno = -error->error;
        fail(what);
      }
      acknowledged |= header->nlmsg_seq == last->nlmsg_seq;
    }
  }
  exchange->length = 0;
  exchange->last = NULL;
}

int exchange_count(struct exchange* exchange, const char* what) {
  if (mnl_socket_sendto(exchange->socket, exchange->buffer, exchange->last->nlmsg_len) < 0) fail(what);
  int found = 0;
  for (int done = 0; !done;) {
    int left = (int)mnl_socket_recvfrom(exchange->socket, reply, sizeof reply);
    if (left < 0) fail(what);
    for (struct nlmsghdr* header = (struct nlmsghdr*)reply; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
      if (header->nlmsg_type == NLMSG_ERROR) fail(what);
      if (header->nlmsg_type == NLMSG_DONE)
        done = 1;
      else
        found++;
    }
  }
  exchange->length = 0;
  exchange->last = NULL;
  return found;
}
