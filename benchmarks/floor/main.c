// The least that the kernel can be asked to do for a container: what the library's own figures are held against.
//
//   floor churn CONTAINERS REMOVAL [ports]     attach them one after another, then: `keep` them; delete `each` link or the whole
//                                              `group` of links, and let go of the namespaces; or let go of the namespaces
//                                              (`netns`)
//   floor publish PORTS
//   floor get-link TIMES
//   floor list TIMES links|routes|addresses
//   floor add-routes COUNT batch|singly DEVICE
//
// Prints one JSON object: the microseconds of each operation, or of all routes. Works in the network namespace that it is started in and leaves
// there what it made.

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "exchange.h"
#include "listing.h"
#include "port.h"

static void print_laps(const char* name, const double* laps, int count) {
  printf("\"%s\":[", name);
  for (int i = 0; i < count; i++) printf("%s%.1f", i ? "," : "", laps[i]);
  printf("]");
}

static int churn(int count, const char* removal, int with_ports) {
  static struct exchange host, netfilter;
  struct container* containers = calloc((size_t)count, sizeof *containers);
  double* laps = calloc((size_t)count, sizeof *laps);
  if (!containers || !laps) fail("memory");
  exchange_open(&host, NETLINK_ROUTE);
  const int bridge = bridge_create(&host);
  if (with_ports) {
    exchange_open(&netfilter, NETLINK_NETFILTER);
    ports_create(&netfilter);
  }

  for (int i = 0; i < count; i++) {
    const double start = now_us();
    containers[i] = container_attach(&host, bridge, i);
    if (with_ports) port_publish(&netfilter, i);
    laps[i] = now_us() - start;
  }
  printf("{");
  print_laps("attach", laps, count);

  if (strcmp(removal, "group") == 0) {
    const double start = now_us();
    links_delete(&host);
    for (int i = 0; i < count; i++) close(containers[i].netns);
    const double each = (now_us() - start) / count;
    for (int i = 0; i < count; i++) laps[i] = each;
  } else {
    const int by_link = strcmp(removal, "each") == 0, by_netns = strcmp(removal, "netns") == 0;
    for (int i = 0; i < count; i++) {
      const double start = now_us();
      if (by_link) link_delete(&host, containers[i].index);
      if (by_link || by_netns) close(containers[i].netns);
      laps[i] = now_us() - start;
    }
    if (!by_link && !by_netns) count = 0;
  }
  printf(",");
  print_laps("detach", laps, count);
  printf("}\n");
  return 0;
}

static int repeat(const char* operation, int count) {
  static struct exchange exchange;
  const int publishes = strcmp(operation, "publish") == 0;
  double* laps = calloc((size_t)count, sizeof *laps);
  if (!laps) fail("memory");
  exchange_open(&exchange, publishes ? NETLINK_NETFILTER : NETLINK_ROUTE);
  if (publishes)
    ports_create(&exchange);
  else
    bridge_create(&exchange);
  for (int i = 0; i < count; i++) {
    const double start = now_us();
    if (publishes)
      port_publish(&exchange, i);
    else
      link_get(&exchange, bridge_name);
    laps[i] = now_us() - start;
  }
  printf("{");
  print_laps(operation, laps, count);
  printf("}\n");
  return 0;
}

static int list(int count, const char* subject) {
  static struct exchange exchange;
  double* laps = calloc((size_t)count, sizeof *laps);
  if (!laps) fail("memory");
  exchange_open(&exchange, NETLINK_ROUTE);
  for (int i = 0; i < count; i++) {
    const double start = now_us();
    if (list_all(&exchange, subject) == 0) fail(subject);
    laps[i] = now_us() - start;
  }
  printf("{");
  print_laps("list", laps, count);
  printf("}\n");
  return 0;
}

static int add_routes(int count, int at_once, const char* device) {
  static struct exchange exchange;
  exchange_open(&exchange, NETLINK_ROUTE);
  const double start = now_us();
  routes_add(&exchange, count, at_once, device);
  const double lap = now_us() - start;
  printf("{");
  print_laps("laps", &lap, 1);
  printf("}\n");
  return 0;
}

int main(int count, char** arguments) {
  const char* command = count > 2 ? arguments[1] : "";
  const int number = count > 2 ? atoi(arguments[2]) : 0;
  if (number > 0 && count > 3 && strcmp(command, "churn") == 0) {
    return churn(number, arguments[3], count > 4 && strcmp(arguments[4], "ports") == 0);
  }
  if (number > 0 && (strcmp(command, "publish") == 0 || strcmp(command, "get-link") == 0)) return repeat(command, number);
  if (number > 0 && count > 3 && strcmp(command, "list") == 0) return list(number, arguments[3]);
  if (number > 0 && count > 4 && strcmp(command, "add-routes") == 0) {
    return add_routes(number, strcmp(arguments[3], "batch") == 0 ? 128 : 1, arguments[4]);
  }
  fprintf(stderr, "usage: floor churn CONTAINERS keep|each|group|netns [ports] | publish PORTS | get-link TIMES |\n       list TIMES links|routes|addresses | add-routes COUNT batch|singly DEVICE\n");
  return 2;
}
