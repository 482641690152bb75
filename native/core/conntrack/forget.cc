#include "core/conntrack/forget.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>

#include "core/conntrack/schema.h"
#include "core/netlink/dump.h"
#include "core/netlink/registry.h"
#include "core/netlink/submission.h"

namespace netlink_ct {
namespace {

constexpr size_t most_messages = 128;
// nfgenmsg: without it a deletion does not heed the family.
constexpr int64_t heed_family = 1;

// As the codec writes addresses.
std::string text_of(const Bytes& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(AF_INET6, address.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

const Object* object_in(const Object& body, std::string_view name) {
  const Value* value = find(body, name);
  return value == nullptr ? nullptr : value->get<Object>();
}

bool has_address(const Object& flow, End end, const std::string& address) {
  const Object* tuple = object_in(flow, end == End::reply_source ? "reply" : "original");
  const Object* ip = tuple == nullptr ? nullptr : object_in(*tuple, "ip");
  const Value* value = ip == nullptr ? nullptr : find(*ip, end == End::reply_source ? "source6" : "destination6");
  return value != nullptr && *value == Value(address);
}

Object question(std::optional<Service> service) {
  Object body{{"family", int64_t{AF_INET6}}};
  if (!service) return body;
  body.emplace_back(
      "original",
      Object{{"ip", Object{}},
             {"protocol", Object{{"number", int64_t{service->protocol}}, {"destinationPort", int64_t{service->port}}}}});
  body.emplace_back("filter", Object{{"original", int64_t{conntrack_filter::protocol | conntrack_filter::destination_port}},
                                     {"reply", int64_t{0}}});
  return body;
}

Result<void> remove(Socket& netfilter, std::span<const Object> flows) {
  Submission submission(netfilter);
  for (const Object& flow : flows) {
    Object body{{"family", int64_t{AF_INET6}}, {"version", heed_family}};
    // With its number, so that a later connection between the same ends is spared.
    for (const char* name : {"original", "id", "zone"}) {
      if (const Value* value = find(flow, name)) body.emplace_back(name, *value);
    }
    auto added = submission.add(*message_type("IPCTNL_MSG_CT_DELETE"), 0, body, "forget connections to an address");
    if (!added) return added;
  }
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  for (const Outcome& outcome : outcomes.value()) {
    if (outcome.error && outcome.error->code != ENOENT) return *outcome.error;
  }
  return {};
}

}  // namespace

Result<void> forget_ipv6(Socket& netfilter, End end, const Bytes& address, std::optional<Service> service) {
  // Torn or not: a connection that is made meanwhile is made under the rules of now.
  auto all = dump(netfilter, *message_type("IPCTNL_MSG_CT_GET"), question(service), Unknown::drop);
  if (!all) return all.error();
  const std::string text = text_of(address);
  std::vector<Object> found;
  for (size_t at = 0; at < all.value().objects.size(); ++at) {
    Object flow = all.value().objects.object(at);
    if (has_address(flow, end, text)) found.push_back(std::move(flow));
  }
  for (std::span<const Object> rest(found); !rest.empty();) {
    const auto part = rest.first(std::min(rest.size(), most_messages));
    if (auto removed = remove(netfilter, part); !removed) return removed;
    rest = rest.subspan(part.size());
  }
  return {};
}

}  // namespace netlink_ct
