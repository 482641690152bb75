// The nf_tables messages of this library against what nft sends: what nft wrote must decode without a rest and encode to the very
// same bytes.
//
// Recorded with nft 1.0.6, in one namespace and in this order:
//   strace -e trace=sendmsg -e write=all -s 65536 nft …
// Each entry holds what follows the nlmsghdr.
#include "core/nftables/messages.h"

#include <linux/netlink.h>

#include <algorithm>

#include "core/netlink/codec.h"
#include "core/netlink/registry.h"
#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

struct Recording {
  const char* command;
  const char* type;
  const char* bytes;
};

// clang-format off
const std::vector<Recording> recordings = {
    {"nft add table ip nat { comment \"mine\"; }",
     "NFT_MSG_NEWTABLE",
     "02000000 08000100 6e617400 08000200 00000000 0b000600 00056d69 6e650000"},
    {"nft add chain ip nat post { type nat hook postrouting priority 100; policy accept; }",
     "NFT_MSG_NEWCHAIN",
     "02000000 08000100 6e617400 09000300 706f7374 00000000 08000700 6e617400 08000500 00000001 14000480 08000100 "
     "00000004 08000200 00000064"},
    {"nft add chain ip nat pub",
     "NFT_MSG_NEWCHAIN",
     "02000000 08000100 6e617400 08000300 70756200"},
    {"nft add map ip nat ports { type inet_proto . inet_service : ipv4_addr . inet_service; }",
     "NFT_MSG_NEWSET",
     "02000000 08000100 6e617400 0a000200 706f7274 73000000 08000300 00000008 08000400 0000030d 08000500 00000008 "
     "08000600 000001cd 08000700 00000008 08000a00 00000001 2a000d00 00040000 00000104 00000000 03080004 0d000000 "
     "01000408 00040d00 00000100 06040000 00000000"},
    {"nft add map ip nat names { type ifname : verdict; comment \"x\"; }",
     "NFT_MSG_NEWSET",
     "02000000 08000100 6e617400 0a000200 6e616d65 73000000 08000300 00000008 08000400 00000029 08000500 00000010 "
     "08000600 ffffff00 08000700 00000000 08000a00 00000001 1a000d00 00040100 00000104 00000000 06040000 00000702 "
     "78000000"},
    {"nft add set ip nat boxes { type ipv4_addr . inet_service; flags interval; }",
     "NFT_MSG_NEWSET",
     "02000000 08000100 6e617400 0a000200 626f7865 73000000 08000300 00000084 08000400 000001cd 08000500 00000008 "
     "08000a00 00000001 20000980 1c000280 0c000180 08000100 00000004 0c000180 08000100 00000002 14000d00 00040000 "
     "00000308 00040d00 00000100"},
    {"nft add element ip nat ports { tcp . 8080 comment \"web\" : 10.1.0.2 . 80 }",
     "NFT_MSG_NEWSETELEM",
     "02000000 08000100 6e617400 0a000200 706f7274 73000000 08000400 00000001 34000380 30000180 10000180 0c000100 "
     "06000000 1f900000 10000280 0c000100 0a010002 00500000 0a000600 00047765 62000000"},
    {"nft add element ip nat names { \"br0\" : jump pub }",
     "NFT_MSG_NEWSETELEM",
     "02000000 08000100 6e617400 0a000200 6e616d65 73000000 08000400 00000002 38000380 34000180 18000180 14000100 "
     "62723000 00000000 00000000 00000000 18000280 14000280 08000100 fffffffd 08000200 70756200"},
    {"nft add element ip nat boxes { 10.0.0.0/8 . 80-90 }",
     "NFT_MSG_NEWSETELEM",
     "02000000 08000100 6e617400 0a000200 626f7865 73000000 08000400 00000003 28000380 24000180 10000180 0c000100 "
     "0a000000 00500000 10000a80 0c000100 0affffff 005a0000"},
    {"nft add rule ip nat post ct status dnat ct mark & 0x2000 == 0x2000 masquerade fully-random comment \"hairpin\"",
     "NFT_MSG_NEWRULE",
     "02000000 08000100 6e617400 09000200 706f7374 00000000 48010480 20000180 07000100 63740000 14000280 08000200 "
     "00000002 08000100 00000001 44000180 0c000100 62697477 69736500 34000280 08000100 00000001 08000200 00000001 "
     "08000300 00000004 0c000480 08000100 20000000 0c000580 08000100 00000000 2c000180 08000100 636d7000 20000280 "
     "08000100 00000001 08000200 00000001 0c000380 08000100 00000000 20000180 07000100 63740000 14000280 08000200 "
     "00000003 08000100 00000001 4c000180 0c000100 62697477 69736500 3c000280 08000100 00000001 08000200 00000001 "
     "08000600 00000000 08000300 00000004 0c000480 08000100 00200000 0c000580 08000100 00000000 2c000180 08000100 "
     "636d7000 20000280 08000100 00000001 08000200 00000000 0c000380 08000100 00200000 1c000180 09000100 6d617371 "
     "00000000 0c000280 08000100 00000010 0e000700 00086861 69727069 6e000000"},
    {"nft add rule ip nat pub meta mark set 5 counter limit rate 10/second log prefix \"x\" group 2 return",
     "NFT_MSG_NEWRULE",
     "02000000 08000100 6e617400 08000200 70756200 fc000480 2c000180 0e000100 696d6d65 64696174 65000000 18000280 "
     "08000100 00000001 0c000280 08000100 05000000 24000180 09000100 6d657461 00000000 14000280 08000200 00000003 "
     "08000300 00000001 14000180 0c000100 636f756e 74657200 04000280 44000180 0a000100 6c696d69 74000000 34000280 "
     "0c000100 00000000 0000000a 0c000200 00000000 00000001 08000300 00000005 08000400 00000000 08000500 00000000 "
     "20000180 08000100 6c6f6700 14000280 06000200 78000000 06000100 00020000 30000180 0e000100 696d6d65 64696174 "
     "65000000 1c000280 08000100 00000000 10000280 0c000280 08000100 fffffffb"},
    {"nft add rule ip nat pub ip saddr 10.0.0.0/12 tcp dport != 80-90 meta mark 1-5 ip ttl set 5 notrack",
     "NFT_MSG_NEWRULE",
     "02000000 08000100 6e617400 08000200 70756200 f8020480 34000180 0c000100 7061796c 6f616400 24000280 08000100 "
     "00000001 08000200 00000001 08000300 0000000c 08000400 00000004 44000180 0c000100 62697477 69736500 34000280 "
     "08000100 00000001 08000200 00000001 08000300 00000004 0c000480 08000100 fff00000 0c000580 08000100 00000000 "
     "2c000180 08000100 636d7000 20000280 08000100 00000001 08000200 00000000 0c000380 08000100 0a000000 24000180 "
     "09000100 6d657461 00000000 14000280 08000200 00000010 08000100 00000001 2c000180 08000100 636d7000 20000280 "
     "08000100 00000001 08000200 00000000 0c000380 05000100 06000000 34000180 0c000100 7061796c 6f616400 24000280 "
     "08000100 00000001 08000200 00000002 08000300 00000002 08000400 00000002 3c000180 0a000100 72616e67 65000000 "
     "2c000280 08000100 00000001 08000200 00000001 0c000380 06000100 00500000 0c000480 06000100 005a0000 24000180 "
     "09000100 6d657461 00000000 14000280 08000200 00000003 08000100 00000001 40000180 0e000100 62797465 6f726465 "
     "72000000 2c000280 08000100 00000001 08000200 00000001 08000300 00000001 08000400 00000004 08000500 00000004 "
     "2c000180 08000100 636d7000 20000280 08000100 00000001 08000200 00000005 0c000380 08000100 00000001 2c000180 "
     "08000100 636d7000 20000280 08000100 00000001 08000200 00000003 0c000380 08000100 00000005 34000180 0c000100 "
     "7061796c 6f616400 24000280 08000100 00000001 08000200 00000001 08000300 00000008 08000400 00000002 4c000180 "
     "0c000100 62697477 69736500 3c000280 08000100 00000001 08000200 00000001 08000600 00000000 08000300 00000002 "
     "0c000480 06000100 00ff0000 0c000580 06000100 05000000 44000180 0c000100 7061796c 6f616400 34000280 08000500 "
     "00000001 08000200 00000001 08000300 00000008 08000400 00000002 08000600 00000001 08000700 0000000a 10000180 "
     "0c000100 6e6f7472 61636b00"},
    {"nft add rule ip nat pub fib daddr type local iifname vmap @names",
     "NFT_MSG_NEWRULE",
     "02000000 08000100 6e617400 08000200 70756200 b4000480 28000180 08000100 66696200 1c000280 08000300 00000002 "
     "08000200 00000003 08000100 00000001 2c000180 08000100 636d7000 20000280 08000100 00000001 08000200 00000000 "
     "0c000380 08000100 02000000 24000180 09000100 6d657461 00000000 14000280 08000200 00000006 08000100 00000001 "
     "38000180 0b000100 6c6f6f6b 75700000 28000280 08000200 00000001 08000300 00000000 0a000100 6e616d65 73000000 "
     "08000400 00000002"},
    {"nft add rule ip nat pub reject with icmp type host-unreachable",
     "NFT_MSG_NEWRULE",
     "02000000 08000100 6e617400 08000200 70756200 28000480 24000180 0b000100 72656a65 63740000 14000280 08000100 "
     "00000000 05000200 01000000"},
    {"nft delete element ip nat ports { tcp . 8080 }",
     "NFT_MSG_DELSETELEM",
     "02000000 08000100 6e617400 0a000200 706f7274 73000000 18000380 14000180 10000180 0c000100 06000000 1f900000"},
    {"nft flush chain ip nat pub",
     "NFT_MSG_DELRULE",
     "02000000 08000100 6e617400 08000200 70756200"},
    {"nft delete chain ip nat post",
     "NFT_MSG_DELCHAIN",
     "02000000 08000100 6e617400 09000300 706f7374 00000000"},
};
// clang-format on

// Attributes that no schema names, anywhere inside.
bool has_rest(const Value& value) {
  if (const auto* list = value.get<List>()) return std::ranges::any_of(*list, has_rest);
  const auto* object = value.get<Object>();
  return object != nullptr &&
         std::ranges::any_of(*object, [](const auto& field) { return field.first == "other" || has_rest(field.second); });
}

void comes_back(const Recording& recording) {
  const MessageType* type = message_type(recording.type);
  check(type != nullptr, "the type is known");
  const Exact theirs(bytes_of(recording.bytes));
  auto decoded = decode(*type->schema, theirs.span(), Unknown::keep);
  check(static_cast<bool>(decoded), "it decodes");
  check(!has_rest(decoded.value()), "every attribute is known: " + show(decoded.value()));
  MessageBuffer again;
  again.start(type->number, 0, 1);
  auto done = encode(again, *type->schema, decoded.value());
  check(static_cast<bool>(done), done ? "" : done.error().attribute + ": " + done.error().note);
  equal(hex(again.bytes().subspan(NLMSG_HDRLEN)), hex(theirs.span()));
}

void survives_truncation(const Recording& recording) {
  const MessageType* type = message_type(recording.type);
  const Bytes theirs = bytes_of(recording.bytes);
  for (size_t size = 0; size < theirs.size(); ++size) {
    const Exact cut({theirs.data(), size});
    (void)decode(*type->schema, cut.span(), Unknown::keep);
  }
}

// nft add element ip nat ports { tcp . 8080 comment "web" : 10.1.0.2 . 80 }, without the set's number in the batch.
void an_element_from_its_fields() {
  const Object element{{"key", Object{{"value", bytes_of("06000000 1f900000")}}},
                       {"data", Object{{"value", bytes_of("0a010002 00500000")}}},
                       {"userdata", bytes_of("0004 77656200")}};
  const Object body{{"family", int64_t{2}}, {"table", "nat"}, {"set", "ports"}, {"elements", List{element}}};
  const MessageType& type = *message_type("NFT_MSG_NEWSETELEM");
  MessageBuffer message;
  message.start(type.number, 0, 1);
  check(static_cast<bool>(encode(message, *type.schema, body)), "it encodes");
  equal(hex(message.bytes().subspan(NLMSG_HDRLEN)),
        hex(bytes_of("02000000 08000100 6e617400 0a000200 706f7274 73000000"
                     "34000380 30000180 10000180 0c000100 06000000 1f900000 10000280 0c000100 0a010002 00500000"
                     "0a000600 00047765 62000000")));
}

void every_type_has_its_subsystem() {
  for (const MessageType& type : nftables_messages()) {
    check(type.number >> 8 == 10, std::string(type.name) + " is of NFNL_SUBSYS_NFTABLES");
    check(message_type(type.name) != nullptr, std::string(type.name) + " is found by its name");
  }
  equal(int{message_type("NFT_MSG_DESTROYSETELEM")->number & 0xff}, 30);
}

}  // namespace

int main() {
  std::vector<Test> tests{
      {"an element is encoded from its fields", an_element_from_its_fields},
      {"every message type is of the nf_tables subsystem", every_type_has_its_subsystem},
  };
  for (const Recording& recording : recordings) {
    tests.push_back({recording.command, [&recording] { comes_back(recording); }});
    tests.push_back({recording.command, [&recording] { survives_truncation(recording); }});
  }
  return run(tests);
}
