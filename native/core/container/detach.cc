#include "core/container/detach.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

#include "core/netlink/submission.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

Result<void> withdraw(Home& home, const DetachPlan& plan) {
  if (plan.elements.empty() && plan.flows.empty()) return {};
  auto netfilter = plan.host->socket(home, NETLINK_NETFILTER);
  if (!netfilter) return netfilter.error();
  if (auto done = unpublish(*netfilter.value(), plan.table, plan.elements); !done) return done;
  return flush_flows(*netfilter.value(), plan.flows);
}

// A group that nobody else uses, so that deleting it deletes only what was put into it here. The firewall lets nothing pass to or
// from groups of this range: in them a link is no network's any more.
Result<uint32_t> doomed_group() {
  uint32_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return system_error("getrandom");
  return number | 0xf0000000U;
}

bool is_gone(const Error& error) { return error.code == ENODEV; }

}  // namespace

Result<void> detach(Home& home, const DetachPlan& plan) {
  // A table that was flushed has no ports to withdraw.
  if (auto done = withdraw(home, plan); !done && done.error().code != ENOENT) return done;
  if (plan.host_indexes.empty()) return {};
  auto socket = plan.host->socket(home, NETLINK_ROUTE);
  if (!socket) return socket.error();
  auto group = doomed_group();
  if (!group) return group.error();

  Submission submission(*socket.value());
  for (const uint32_t index : plan.host_indexes) {
    MessageBuffer& message = submission.add(rtm::setlink, 0, "put the link into the group to delete");
    message.header<ifinfomsg>().ifi_index = static_cast<int>(index);
    message.put(IFLA_GROUP, group.value());
  }
  MessageBuffer& message = submission.add(rtm::dellink, 0, "delete the links");
  message.header<ifinfomsg>();
  message.put(IFLA_GROUP, group.value());
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  for (const Outcome& outcome : outcomes.value()) {
    if (outcome.error && !is_gone(*outcome.error)) return *outcome.error;
  }
  return {};
}

}  // namespace netlink_ct
