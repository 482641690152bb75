#include "core/container/detach.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

#include "core/netlink/submission.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

Result<void> withdraw_ports(Home& home, const DetachPlan& plan) {
  if (plan.elements.empty() && plan.marks.empty() && plan.addresses.empty()) return {};
  auto netfilter = plan.host->socket(home, NETLINK_NETFILTER);
  if (!netfilter) return netfilter.error();
  // UDP has no end of a connection, and a client of TCP that still waits for its first answer asks again: conntrack would lead
  // them to whoever has the address then.
  return withdraw(*netfilter.value(), plan.table, plan.elements, plan.marks, [&]() -> Result<void> {
    for (const Bytes& address : plan.addresses) {
      if (auto done = flush_flows_to(*netfilter.value(), address); !done) return done;
    }
    return {};
  });
}

// Elements that are another container's by now, which has the address, stay. When others change the ruleset without pause ours
// may be left: whoever gets the address takes them away.
Result<void> leave_sets(Home& home, const DetachPlan& plan) {
  if (plan.members.empty()) return {};
  auto netfilter = plan.host->socket(home, NETLINK_NETFILTER);
  if (!netfilter) return netfilter.error();
  auto done = unpublish(*netfilter.value(), plan.table, plan.members);
  if (!done && done.error().code != ENOENT && done.error().code != ERESTART) return done;
  return {};
}

// A group that nobody else uses, so that deleting it deletes only what was put into it here. The firewall lets nothing pass to or
// from groups of this range: in them a link is no network's any more.
Result<uint32_t> doomed_group() {
  uint32_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return system_error("getrandom");
  return number | 0xf0000000U;
}

bool is_gone(const Error& error) { return error.code == ENODEV; }

void add_doomed(Submission& submission, const DetachPlan& plan, uint32_t group) {
  for (const uint32_t index : plan.host_indexes) {
    MessageBuffer& message = submission.add(rtm::setlink, 0, "put the link into the group to delete");
    message.header<ifinfomsg>().ifi_index = static_cast<int>(index);
    message.put(IFLA_GROUP, group);
  }
}

// What is gone already is no error.
Result<void> run(Submission& submission) {
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  for (const Outcome& outcome : outcomes.value()) {
    if (outcome.error && !is_gone(*outcome.error)) return *outcome.error;
  }
  return {};
}

}  // namespace

Result<void> detach(Home& home, const DetachPlan& plan) {
  auto socket = plan.host->socket(home, NETLINK_ROUTE);
  if (!socket) return socket.error();
  auto group = doomed_group();
  if (!group) return group.error();
  const bool publishes = !plan.elements.empty() || !plan.marks.empty();
  if (publishes && !plan.host_indexes.empty()) {
    // Before the ports go: whoever restores a firewall from the links leaves out those of this range.
    Submission first(*socket.value());
    add_doomed(first, plan, group.value());
    if (auto done = run(first); !done) return done;
  }
  // A table that was flushed has no ports to withdraw.
  if (auto done = withdraw_ports(home, plan); !done && done.error().code != ENOENT) return done;
  if (plan.host_indexes.empty()) return {};

  Submission submission(*socket.value());
  if (!publishes) add_doomed(submission, plan, group.value());
  MessageBuffer& message = submission.add(rtm::dellink, 0, "delete the links");
  message.header<ifinfomsg>();
  message.put(IFLA_GROUP, group.value());
  if (auto done = run(submission); !done) return done;
  return leave_sets(home, plan);
}

}  // namespace netlink_ct
