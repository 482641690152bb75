#include "core/container/publish.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/conntrack/forget.h"
#include "core/conntrack/schema.h"
#include "core/netlink/dump.h"
#include "core/netlink/registry.h"
#include "core/netlink/submission.h"

namespace netlink_ct {
namespace {

// libnftnl's type-length-value for the comment of an element; the length counts the NUL.
constexpr uint8_t comment_type = 0;
constexpr size_t longest_comment = 127;
// One message carries as many elements as surely fit the 64 KiB of their nest.
constexpr size_t elements_per_message = 128;
constexpr int most_restarts = 16;
constexpr const char* member_step = "change who a policy is about";
constexpr const char* withdraw_step = "withdraw a port";
constexpr const char* sender_step = "let the container send";

Object data_value(const Bytes& bytes) { return {{"value", bytes}}; }

Value encoded(const Element& element) {
  Object object{{"key", data_value(element.key)}};
  if (!element.key_end.empty()) object.emplace_back("keyEnd", data_value(element.key_end));
  if (!element.data.empty()) object.emplace_back("data", data_value(element.data));
  if (!element.comment.empty()) {
    const std::string text = element.comment.substr(0, longest_comment);
    Bytes userdata{comment_type, static_cast<uint8_t>(text.size() + 1)};
    userdata.insert(userdata.end(), text.begin(), text.end());
    userdata.push_back(0);
    object.emplace_back("userdata", std::move(userdata));
  }
  return object;
}

// Adds messages for `elements`, consecutive ones of a set together.
Result<void> add_elements(Submission& submission, std::string_view type, uint16_t flags, const TableName& table,
                          const std::vector<Element>& elements, const char* step) {
  for (size_t at = 0; at < elements.size();) {
    List list;
    const Element& first = elements[at];
    while (at < elements.size() && list.size() < elements_per_message && elements[at].family == first.family &&
           elements[at].set == first.set && elements[at].exclusive == first.exclusive) {
      list.push_back(encoded(elements[at++]));
    }
    const bool creates = (flags & NLM_F_CREATE) != 0;
    auto added = submission.add(
        *message_type(type), static_cast<uint16_t>(flags | (creates && first.exclusive ? NLM_F_EXCL : 0)),
        Object{{"family", int64_t{first.family}}, {"table", table.name}, {"set", first.set}, {"elements", std::move(list)}},
        step);
    if (!added) return added;
  }
  return {};
}

Result<void> commit(Submission& submission, std::optional<uint32_t> generation = {}) {
  auto outcomes = submission.commit(generation);
  if (!outcomes) return outcomes.error();
  if (const Error* error = first_error(outcomes.value())) return *error;
  return {};
}

Result<uint32_t> ruleset_generation(Socket& netfilter) {
  Submission submission(netfilter);
  auto added = submission.add(*message_type("NFT_MSG_GETGEN"), 0, Object{{"family", int64_t{AF_UNSPEC}}});
  if (!added) return added.error();
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  if (const Error* error = first_error(outcomes.value())) return *error;
  for (const Bytes& packed : outcomes.value()[0].replies) {
    const Object reply = object_of(packed);
    const Value* id = find(reply, "id");
    if (id != nullptr && id->get<int64_t>() != nullptr) return static_cast<uint32_t>(*id->get<int64_t>());
  }
  return Error{.code = ENODATA, .syscall = "NFT_MSG_GETGEN", .step = {}, .extack = {}, .attribute = {}};
}

// The elements inside one answer.
const List& listed(const Object& reply) {
  static const List none;
  const Value* elements = find(reply, "elements");
  const auto* list = elements == nullptr ? nullptr : elements->get<List>();
  return list == nullptr ? none : *list;
}

const Bytes* bytes_of(const Value& element, std::string_view field) {
  const auto* object = element.get<Object>();
  const Value* outer = object == nullptr ? nullptr : find(*object, field);
  if (outer == nullptr) return nullptr;
  if (const auto* bytes = outer->get<Bytes>()) return bytes;
  const auto* nested = outer->get<Object>();
  const Value* value = nested == nullptr ? nullptr : find(*nested, "value");
  return value == nullptr ? nullptr : value->get<Bytes>();
}

// The text in the userdata of an element, empty for none.
std::string comment_of(const Object& reply) {
  for (const Value& element : listed(reply)) {
    const Bytes* userdata = bytes_of(element, "userdata");
    for (size_t at = 0; userdata != nullptr && at + 2 <= userdata->size();) {
      const size_t length = (*userdata)[at + 1];
      if (at + 2 + length > userdata->size()) break;
      const auto* text = reinterpret_cast<const char*>(userdata->data() + at + 2);
      if ((*userdata)[at] == comment_type) return {text, strnlen(text, length)};
      at += 2 + length;
    }
  }
  return {};
}

bool is_same(const Element& ours, const Value& theirs) {
  const Value wanted = encoded(ours);
  const auto equal = [&](std::string_view field) {
    const Bytes* left = bytes_of(wanted, field);
    const Bytes* right = bytes_of(theirs, field);
    return left == nullptr ? right == nullptr : right != nullptr && *left == *right;
  };
  return equal("data") && equal("userdata");
}

// Those of the elements that are in the kernel as given.
Result<std::vector<Element>> still_ours(Socket& netfilter, const TableName& table, const std::vector<Element>& elements) {
  Submission questions(netfilter);
  for (const Element& element : elements) {
    auto added = questions.add(*message_type("NFT_MSG_GETSETELEM"), 0,
                               Object{{"family", int64_t{element.family}},
                                      {"table", table.name},
                                      {"set", element.set},
                                      {"elements", List{Object{{"key", data_value(element.key)}}}}});
    if (!added) return added.error();
  }
  auto outcomes = questions.run();
  if (!outcomes) return outcomes.error();
  std::vector<Element> found;
  for (size_t index = 0; index < elements.size(); ++index) {
    const Outcome& outcome = outcomes.value()[index];
    if (outcome.error && outcome.error->code != ENOENT) return *outcome.error;
    for (const Bytes& packed : outcome.replies) {
      const Object reply = object_of(packed);
      const List& list = listed(reply);
      if (std::ranges::any_of(list, [&](const Value& theirs) { return is_same(elements[index], theirs); })) {
        found.push_back(elements[index]);
        break;
      }
    }
  }
  return found;
}

// What a deletion names.
std::vector<Element> only_keys(std::vector<Element> elements) {
  for (Element& element : elements) {
    element.data.clear();
    element.comment.clear();
    element.exclusive = false;
  }
  return elements;
}

// Looks and deletes until nobody came in between.
Result<bool> delete_guarded(Socket& netfilter, const TableName& table,
                            const std::function<Result<std::vector<Element>>()>& look) {
  for (int attempt = 0;; ++attempt) {
    auto generation = ruleset_generation(netfilter);
    if (!generation) return generation.error();
    auto doomed = look();
    if (!doomed) return doomed.error();
    if (doomed.value().empty()) return false;
    Submission batch(netfilter);
    auto added = add_elements(batch, "NFT_MSG_DELSETELEM", 0, table, only_keys(std::move(doomed.value())), withdraw_step);
    if (!added) return added.error();
    auto done = commit(batch, generation.value());
    if (done) return true;
    if (done.error().code != ERESTART || attempt >= most_restarts) return done.error();
  }
}

}  // namespace

Result<void> publish(Socket& netfilter, const TableName& table, const std::vector<Element>& elements,
                     const std::vector<Element>& renewed) {
  if (elements.empty() && renewed.empty()) return {};
  Submission batch(netfilter);
  auto added = add_elements(batch, "NFT_MSG_NEWSETELEM", NLM_F_CREATE, table, elements, "publish a port");
  if (added) added = add_elements(batch, "NFT_MSG_DESTROYSETELEM", 0, table, only_keys(renewed), sender_step);
  if (added) added = add_elements(batch, "NFT_MSG_NEWSETELEM", NLM_F_CREATE, table, renewed, sender_step);
  if (!added) return added;
  return commit(batch);
}

Result<void> exchange(Socket& netfilter, const TableName& table, const std::vector<Element>& out,
                      const std::vector<Element>& in) {
  if (out.empty() && in.empty()) return {};
  Submission batch(netfilter);
  auto added = add_elements(batch, "NFT_MSG_DESTROYSETELEM", 0, table, out, member_step);
  if (added) added = add_elements(batch, "NFT_MSG_NEWSETELEM", NLM_F_CREATE, table, in, member_step);
  if (!added) return added;
  return commit(batch);
}

Result<void> unpublish(Socket& netfilter, const TableName& table, const std::vector<Element>& elements) {
  if (elements.empty()) return {};
  auto done = delete_guarded(netfilter, table, [&] { return still_ours(netfilter, table, elements); });
  if (!done) return done.error();
  return {};
}

Result<void> withdraw(Socket& netfilter, const TableName& table, const std::vector<Element>& elements,
                      const std::vector<Element>& marks, const std::function<Result<void>()>& forget) {
  if (auto done = unpublish(netfilter, table, elements); !done) return done;
  if (auto done = forget(); !done) return done;
  return unpublish(netfilter, table, marks);
}

Result<std::vector<PublishedAddress>> published_among(Socket& netfilter, const TableName& table,
                                                      const std::vector<PublishedAddress>& addresses) {
  Submission questions(netfilter);
  for (const PublishedAddress& one : addresses) {
    auto added = questions.add(*message_type("NFT_MSG_GETSETELEM"), 0,
                               Object{{"family", int64_t{one.sets.family}},
                                      {"table", table.name},
                                      {"set", one.sets.published},
                                      {"elements", List{Object{{"key", data_value(one.address)}}}}});
    if (!added) return added.error();
  }
  auto outcomes = questions.run();
  if (!outcomes) return outcomes.error();
  std::vector<PublishedAddress> found;
  for (size_t index = 0; index < addresses.size(); ++index) {
    const auto& error = outcomes.value()[index].error;
    if (error && error->code != ENOENT) return *error;
    if (error) continue;
    found.push_back(addresses[index]);
    for (const Bytes& reply : outcomes.value()[index].replies) found.back().comment = comment_of(object_of(reply));
  }
  return found;
}

namespace {

bool starts_with(const Bytes& bytes, const Bytes& start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

// Adds the elements of a set that are `wanted`.
Result<void> collect(Socket& netfilter, const TableName& table, const std::string& set, std::vector<Element>& found,
                     const std::function<bool(const Bytes& key, const Bytes* data)>& wanted) {
  auto all = dump(netfilter, *message_type("NFT_MSG_GETSETELEM"),
                  Object{{"family", int64_t{table.family}}, {"table", table.name}, {"set", set}}, Unknown::drop);
  if (!all) return all.error();
  for (size_t at = 0; at < all.value().objects.size(); ++at) {
    const Object reply = all.value().objects.object(at);
    for (const Value& element : listed(reply)) {
      const Bytes* key = bytes_of(element, "key");
      if (key == nullptr || !wanted(*key, bytes_of(element, "data"))) continue;
      const Bytes* end = bytes_of(element, "keyEnd");
      found.push_back({.family = table.family,
                       .set = set,
                       .key = *key,
                       .key_end = end == nullptr ? Bytes{} : *end,
                       .data = {},
                       .comment = {}});
    }
  }
  return {};
}

// Adds what leads to the address in one map, with who may ask for it.
Result<void> collect_ports(Socket& netfilter, const TableName& table, const PortMap& map, const Bytes& address,
                           std::vector<Element>& found) {
  std::vector<Element> ports;
  auto done = collect(netfilter, table, map.map, ports,
                      [&](const Bytes&, const Bytes* data) { return data != nullptr && starts_with(*data, address); });
  if (!done) return done;
  std::vector<Element> limits;
  if (!ports.empty()) {
    done = collect(netfilter, table, map.limited, limits, [&](const Bytes& key, const Bytes*) {
      return std::ranges::any_of(ports, [&](const Element& port) { return port.key == key; });
    });
  }
  if (done && !limits.empty()) {
    const std::vector<Element> keys = limits;
    done = collect(netfilter, table, map.allowed, limits, [&](const Bytes& key, const Bytes*) {
      return std::ranges::any_of(keys, [&](const Element& limit) { return starts_with(key, limit.key); });
    });
  }
  if (!done) return done;
  found.insert(found.end(), ports.begin(), ports.end());
  found.insert(found.end(), limits.begin(), limits.end());
  return {};
}

}  // namespace

Result<void> forget_address(Socket& netfilter, const TableName& table_name, const PublishedAddress& dead,
                            const std::function<Result<void>()>& forget) {
  const Bytes& address = dead.address;
  const PortSets& sets = dead.sets;
  const TableName table{.family = sets.family, .name = table_name.name};
  auto done = delete_guarded(netfilter, table, [&]() -> Result<std::vector<Element>> {
    std::vector<Element> doomed;
    for (const PortMap& map : sets.maps) {
      if (auto found = collect_ports(netfilter, table, map, address, doomed); !found) return found.error();
    }
    for (const std::string& set : sets.open) {
      auto found =
          collect(netfilter, table, set, doomed, [&](const Bytes& key, const Bytes*) { return starts_with(key, address); });
      if (!found) return found.error();
    }
    return doomed;
  });
  if (!done) return done.error();
  if (auto forgotten = forget(); !forgotten) return forgotten;
  done = delete_guarded(netfilter, table, [&]() -> Result<std::vector<Element>> {
    std::vector<Element> own;
    auto still = published_among(netfilter, table, {dead});
    if (!still) return still.error();
    if (!still.value().empty())
      own.push_back({.family = sets.family, .set = sets.published, .key = address, .key_end = {}, .data = {}, .comment = {}});
    return own;
  });
  if (!done) return done.error();
  return {};
}

Result<void> flush_flows_to(Socket& netfilter, const Bytes& address) {
  if (address.size() == 16) return forget_ipv6(netfilter, End::reply_source, address);
  Submission submission(netfilter);
  MessageBuffer& message = submission.add(*message_type("IPCTNL_MSG_CT_DELETE"), 0, "forget connections to an address");
  message.header<nfgenmsg>().nfgen_family = AF_INET;
  const size_t tuple = message.begin(CTA_TUPLE_REPLY);
  const size_t ip = message.begin(CTA_TUPLE_IP);
  message.put(CTA_IP_V4_SRC, std::span<const uint8_t>(address));
  message.end(ip);
  message.end(tuple);
  const size_t filter = message.begin(conntrack_filter::attribute);
  message.put(conntrack_filter::reply_flags, conntrack_filter::ip_source);
  message.end(filter);
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  const auto& error = outcomes.value()[0].error;
  if (error && error->code != ENOENT) return *error;
  return {};
}

Result<void> flush_flows(Socket& netfilter, const std::vector<Flow>& flows) {
  if (flows.empty()) return {};
  Submission submission(netfilter);
  for (const Flow& flow : flows) {
    if (flow.address.size() == 16) {
      auto done = forget_ipv6(netfilter, End::original_destination, flow.address, Service{flow.protocol, flow.port});
      if (!done) return done;
      continue;
    }
    uint32_t compared = conntrack_filter::protocol | conntrack_filter::destination_port;
    MessageBuffer& message = submission.add(*message_type("IPCTNL_MSG_CT_DELETE"), 0, "forget connections of a port");
    auto& header = message.header<nfgenmsg>();
    header.nfgen_family = flow.family;
    header.version = 1;  // with 0 the kernel does not heed the family
    const size_t tuple = message.begin(CTA_TUPLE_ORIG);
    const size_t ip = message.begin(CTA_TUPLE_IP);
    if (!flow.address.empty()) {
      message.put(CTA_IP_V4_DST, std::span<const uint8_t>(flow.address));
      compared |= conntrack_filter::ip_destination;
    }
    message.end(ip);
    const size_t protocol = message.begin(CTA_TUPLE_PROTO);
    message.put(CTA_PROTO_NUM, flow.protocol);
    message.put(CTA_PROTO_DST_PORT, htons(flow.port));
    message.end(protocol);
    message.end(tuple);
    const size_t filter = message.begin(conntrack_filter::attribute);
    message.put(conntrack_filter::original_flags, compared);
    message.end(filter);
  }
  if (submission.size() == 0) return {};
  auto outcomes = submission.run();
  if (!outcomes) return outcomes.error();
  for (const Outcome& outcome : outcomes.value()) {
    if (outcome.error && outcome.error->code != ENOENT) return *outcome.error;
  }
  return {};
}

}  // namespace netlink_ct
