// Messages of AF_BRIDGE: links with other attributes than elsewhere, VLANs, the multicast database.
#include <linux/rtnetlink.h>

#include "core/netlink/codec.h"
#include "core/netlink/extack.h"
#include "core/netlink/registry.h"
#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

Object told(const char* type, const char* bytes) {
  const Exact exact(bytes_of(bytes));
  auto object = decode(answer_schema(*message_type(type)), exact.span(), Unknown::keep);
  if (!object) fail(object.error().attribute + " " + object.error().extack);
  return object.value();
}

Bytes request(const char* type, const Object& object) {
  MessageBuffer message;
  message.start(message_type(type)->number, NLM_F_REQUEST, 1);
  auto done = encode(message, *message_type(type)->schema, object);
  check(static_cast<bool>(done), done ? "" : done.error().attribute + ": " + done.error().extack);
  return {message.bytes().begin(), message.bytes().end()};
}

// In AF_INET's place, IFLA_AF_SPEC has number 2 for a VLAN: 4 bytes that are no nest.
void links() {
  const Object link = told("RTM_NEWLINK",
                           "07000100 04000000 00000000 00000000 07000300 76300000 08000a00 02000000 0c000c80 05000400 01000000"
                           "1c001a80 08000200 06000100 08000200 08000400 08000200 10000600");
  equal(*find(link, "port"), Value(Object{{"hairpin", int64_t{1}}}));
  equal(*find(link, "bridge"), Value(Object{{"vlans", List{Object{{"flags", int64_t{6}}, {"id", int64_t{1}}},
                                                           Object{{"flags", int64_t{8}}, {"id", int64_t{4}}},
                                                           Object{{"flags", int64_t{16}}, {"id", int64_t{6}}}}}}));
  // Of no family: what a link has everywhere else.
  const Object plain = told("RTM_NEWLINK", "00000100 04000000 00000000 00000000 10001a80 0c000a80 05000800 01000000");
  equal(*find(plain, "afSpec"), Value(Object{{"inet6", Object{{"addrGenMode", int64_t{1}}}}}));
  check(find(plain, "bridge") == nullptr, "only a bridge's message tells of VLANs");
}

void link_errors() {
  const Bytes bytes =
      request("RTM_SETLINK",
              {{"family", int64_t{7}}, {"index", int64_t{4}}, {"port", Object{{"hairpin", int64_t{1}}, {"cost", int64_t{9}}}}});
  const Schema& schema = *message_type("RTM_SETLINK")->schema;
  equal(attribute_path(schema, bytes, NLMSG_HDRLEN + 16), "IFLA_PROTINFO");
  equal(attribute_path(schema, bytes, NLMSG_HDRLEN + 16 + 4 + 8), "IFLA_PROTINFO.IFLA_BRPORT_COST");
}

void vlans() {
  const Object device = told("RTM_NEWVLAN",
                             "07000000 04000000 14000180 08000100 06000100 05000300 03000000 1c000180 08000100 00000400"
                             "06000200 06000000 05000300 03000000");
  equal(*find(device, "entries"),
        Value(List{
            Object{{"info", Object{{"flags", int64_t{6}}, {"id", int64_t{1}}}}, {"state", int64_t{3}}},
            Object{{"info", Object{{"flags", int64_t{0}}, {"id", int64_t{4}}}}, {"end", int64_t{6}}, {"state", int64_t{3}}}}));
}

// The kernel tells of the database under the number that changes it, with attributes of its own.
void multicast() {
  const Object database =
      told("RTM_NEWMDB",
           "07000000 02000000 38000180 34000180 30000100 04000000 01000500 ef010101 00000000 00000000 00000000"
           "08000000 08000100 00000000 05000500 04000000");
  const auto* groups = find(database, "groups")->get<List>();
  check(groups != nullptr && groups->size() == 1, "one group");
  const auto* entries = find(*groups->front().get<Object>(), "entries")->get<List>();
  check(entries != nullptr && entries->size() == 1, "one entry");
  Bytes group(16);
  const Bytes address{0xef, 1, 1, 1};
  std::ranges::copy(address, group.begin());
  equal(entries->front(), Value(Object{{"port", int64_t{4}},
                                       {"state", int64_t{1}},
                                       {"flags", int64_t{0}},
                                       {"vlan", int64_t{5}},
                                       {"group", group},
                                       {"protocol", int64_t{0x0800}},
                                       {"timer", int64_t{0}},
                                       {"owner", int64_t{4}}}));
  const Object entry{{"port", int64_t{4}}, {"group", address}, {"protocol", int64_t{0x0800}}};
  const Bytes change = request("RTM_NEWMDB", {{"family", int64_t{7}}, {"index", int64_t{2}}, {"entry", entry}});
  equal(hex(std::span(change).subspan(NLMSG_HDRLEN)),
        hex(bytes_of("07000000 02000000 20000100 04000000 00000000 ef010101 00000000 00000000 00000000 08000000")));
}

void too_many_bytes() {
  MessageBuffer message;
  message.start(RTM_NEWMDB, NLM_F_REQUEST, 1);
  const auto refused = [&](const Value& group) {
    auto done = encode(message, *message_type("RTM_NEWMDB")->schema, {{"entry", Object{{"group", group}}}});
    check(!done, "it is refused");
    equal(done.error().attribute, "entry.group");
  };
  refused(Bytes(17));
  refused("239.1.1.1");
}

}  // namespace

int main() {
  return run({
      {"a link of AF_BRIDGE has attributes of its own", links},
      {"an error in such a message names them", link_errors},
      {"VLANs come one by one and in ranges", vlans},
      {"the multicast database is told in other words than it is changed", multicast},
      {"bytes in a header fit their field, or are refused by name", too_many_bytes},
  });
}
