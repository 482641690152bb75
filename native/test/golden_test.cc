// The rtnetlink messages of this library against what iproute2 sends for the same wish.
//
// Recorded with iproute2 6.1 in an empty namespace, where br0 has index 2 and v0 index 3:
//   strace -e trace=sendmsg -e write=all -x -s 4096 ip …
// Each entry holds what follows the nlmsghdr.
#include <linux/rtnetlink.h>

#include <algorithm>

#include "core/netlink/codec.h"
#include "core/rtnetlink/schema.h"
#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

struct Recording {
  const char* command;
  uint16_t type;
  const char* bytes;
  Object object;
};

const MessageType& type_of(uint16_t number) {
  for (const MessageType& type : rtnetlink_messages()) {
    if (type.number == number) return type;
  }
  fail("no message type " + std::to_string(number));
}

Value ip_text(const char* text) { return Value(text); }

// clang-format off
const std::vector<Recording> recordings = {
    {"ip link add br0 address 02:00:00:00:00:01 mtu 1400 type bridge stp_state 0 forward_delay 200 mcast_snooping 0 ageing_time 30000 priority 4096",
     RTM_NEWLINK,
     "00000000 00000000 00000000 00000000 0a000100 02000000 00010000 08000400 78050000 08000300 62723000"
     "3c001200 0a000100 62726964 67650000 2c000200 08000500 00000000 08000100 c8000000 05001700 00000000"
     "08000400 30750000 06000600 00100000",
     {{"mac", "02:00:00:00:00:01"}, {"mtu", int64_t{1400}}, {"name", "br0"},
      {"info", Object{{"kind", "bridge"},
                      {"data", Object{{"stpState", int64_t{0}}, {"forwardDelay", int64_t{200}}, {"multicastSnooping", int64_t{0}},
                                      {"ageingTime", int64_t{30000}}, {"priority", int64_t{4096}}}}}}}},
    {"ip link add v0 mtu 1400 type veth peer name eth0 netns ct", RTM_NEWLINK,
     "00000000 00000000 00000000 00000000 08000400 78050000 07000300 76300000 38001200 08000100 76657468"
     "2c000200 28000100 00000000 00000000 00000000 00000000 08001c00 04000000 09000300 65746830 00000000",
     {{"mtu", int64_t{1400}}, {"name", "v0"},
      {"info", Object{{"kind", "veth"}, {"data", Object{{"peer", Object{{"netnsFd", int64_t{4}}, {"name", "eth0"}}}}}}}}},
    {"ip link add v1 index 1021 address 02:00:00:00:00:02 txqueuelen 500 type veth "
     "peer name eth1 index 1022 mtu 1300 address 02:00:00:00:00:03", RTM_NEWLINK,
     "00000000 fd030000 00000000 00000000 0a000100 02000000 00020000 08000d00 f4010000 07000300 76310000"
     "44001200 08000100 76657468 38000200 34000100 00000000 fe030000 00000000 00000000 08000400 14050000"
     "0a000100 02000000 00030000 09000300 65746831 00000000",
     {{"index", int64_t{1021}}, {"mac", "02:00:00:00:00:02"}, {"txqlen", int64_t{500}}, {"name", "v1"},
      {"info", Object{{"kind", "veth"},
                      {"data", Object{{"peer", Object{{"index", int64_t{1022}}, {"mtu", int64_t{1300}},
                                                      {"mac", "02:00:00:00:00:03"}, {"name", "eth1"}}}}}}}}},
    {"ip link set v0 master br0", RTM_SETLINK, "00000000 03000000 00000000 00000000 08000a00 02000000",
     {{"index", int64_t{3}}, {"master", int64_t{2}}}},
    {"ip link set v0 nomaster", RTM_SETLINK, "00000000 03000000 00000000 00000000 08000a00 00000000",
     {{"index", int64_t{3}}, {"master", int64_t{0}}}},
    {"ip link set v0 up", RTM_SETLINK, "00000000 03000000 01000000 01000000",
     {{"index", int64_t{3}}, {"flags", int64_t{1}}, {"change", int64_t{1}}}},
    {"ip link set v1 name v2", RTM_SETLINK, "00000000 fd030000 00000000 00000000 07000300 76320000",
     {{"index", int64_t{1021}}, {"name", "v2"}}},
    {"ip link set v2 alias hello", RTM_SETLINK, "00000000 fd030000 00000000 00000000 09001400 68656c6c 6f000000",
     {{"index", int64_t{1021}}, {"alias", "hello"}}},
    {"ip link property add dev v2 altname a-rather-long-alternative altname other", RTM_NEWLINKPROP,
     "00000000 fd030000 00000000 00000000 30003480 1e003500 612d7261 74686572 2d6c6f6e 672d616c 7465726e 61746976 65000000"
     "0a003500 6f746865 72000000",
     {{"index", int64_t{1021}}, {"altnames", List{"a-rather-long-alternative", "other"}}}},
    {"ip link property del dev v2 altname other", RTM_DELLINKPROP,
     "00000000 fd030000 00000000 00000000 10003480 0a003500 6f746865 72000000",
     {{"index", int64_t{1021}}, {"altnames", List{"other"}}}},
    {"ip link show dev a-rather-long-alternative", RTM_GETLINK,
     "00000000 00000000 00000000 00000000 08001d00 09000000"
     "1e003500 612d7261 74686572 2d6c6f6e 672d616c 7465726e 61746976 65000000",
     {{"extMask", int64_t{9}}, {"altname", "a-rather-long-alternative"}}},
    {"ip link delete v2", RTM_DELLINK, "00000000 fd030000 00000000 00000000", {{"index", int64_t{1021}}}},
    {"ip address add 172.18.0.1/16 brd + dev br0", RTM_NEWADDR,
     "02100000 02000000 08000200 ac120001 08000100 ac120001 08000400 ac12ffff",
     {{"family", int64_t{2}}, {"prefixLength", int64_t{16}}, {"index", int64_t{2}}, {"local", ip_text("172.18.0.1")},
      {"address", ip_text("172.18.0.1")}, {"broadcast", ip_text("172.18.255.255")}}},
    {"ip address add fd00::1/64 dev br0 nodad", RTM_NEWADDR,
     "0a400200 02000000 14000200 fd000000 00000000 00000000 00000001 14000100 fd000000 00000000 00000000 00000001",
     {{"family", int64_t{10}}, {"prefixLength", int64_t{64}}, {"headerFlags", int64_t{2}}, {"index", int64_t{2}},
      {"local", ip_text("fd00::1")}, {"address", ip_text("fd00::1")}}},
    {"ip address add 10.0.0.1 peer 10.0.0.2/32 dev v0 scope link label v0:1", RTM_NEWADDR,
     "022000fd 03000000 08000200 0a000001 08000100 0a000002 09000300 76303a31 00000000",
     {{"family", int64_t{2}}, {"prefixLength", int64_t{32}}, {"scope", int64_t{253}}, {"index", int64_t{3}},
      {"local", ip_text("10.0.0.1")}, {"address", ip_text("10.0.0.2")}, {"label", "v0:1"}}},
    {"ip address delete fd00::1/64 dev br0", RTM_DELADDR,
     "0a400000 02000000 14000200 fd000000 00000000 00000000 00000001 14000100 fd000000 00000000 00000000 00000001",
     {{"family", int64_t{10}}, {"prefixLength", int64_t{64}}, {"index", int64_t{2}}, {"local", ip_text("fd00::1")},
      {"address", ip_text("fd00::1")}}},
    {"ip route add default via 172.18.0.9", RTM_NEWROUTE, "02000000 fe030001 00000000 08000500 ac120009",
     {{"family", int64_t{2}}, {"headerTable", int64_t{254}}, {"protocol", int64_t{3}}, {"type", int64_t{1}},
      {"gateway", ip_text("172.18.0.9")}}},
    {"ip route replace 10.1.0.0/16 via 172.18.0.9 metric 100 mtu 1300 src 172.18.0.1", RTM_NEWROUTE,
     "02100000 fe030001 00000000 08000100 0a010000 08000500 ac120009 08000600 64000000 08000700 ac120001 0c000800 08000200 14050000",
     {{"family", int64_t{2}}, {"toLength", int64_t{16}}, {"headerTable", int64_t{254}}, {"protocol", int64_t{3}}, {"type", int64_t{1}},
      {"to", ip_text("10.1.0.0")}, {"gateway", ip_text("172.18.0.9")}, {"metric", int64_t{100}},
      {"preferredSource", ip_text("172.18.0.1")}, {"metrics", Object{{"mtu", int64_t{1300}}}}}},
    {"ip route add 169.254.0.0/16 via 169.254.1.1 dev br0 onlink", RTM_NEWROUTE,
     "02100000 fe030001 04000000 08000100 a9fe0000 08000500 a9fe0101 08000400 02000000",
     {{"family", int64_t{2}}, {"toLength", int64_t{16}}, {"headerTable", int64_t{254}}, {"protocol", int64_t{3}}, {"type", int64_t{1}},
      {"flags", int64_t{4}}, {"to", ip_text("169.254.0.0")}, {"gateway", ip_text("169.254.1.1")}, {"oif", int64_t{2}}}},
    {"ip route add 10.2.0.0/16 dev br0 table 1000", RTM_NEWROUTE,
     "02100000 0003fd01 00000000 08000100 0a020000 08000f00 e8030000 08000400 02000000",
     {{"family", int64_t{2}}, {"toLength", int64_t{16}}, {"protocol", int64_t{3}}, {"scope", int64_t{253}}, {"type", int64_t{1}},
      {"to", ip_text("10.2.0.0")}, {"table", int64_t{1000}}, {"oif", int64_t{2}}}},
    {"ip -6 route add default via fd00::9 metric 7", RTM_NEWROUTE,
     "0a000000 fe030001 00000000 14000100 00000000 00000000 00000000 00000000 14000500 fd000000 00000000 00000000 00000009"
     "08000600 07000000",
     {{"family", int64_t{10}}, {"headerTable", int64_t{254}}, {"protocol", int64_t{3}}, {"type", int64_t{1}}, {"to", ip_text("::")},
      {"gateway", ip_text("fd00::9")}, {"metric", int64_t{7}}}},
    {"ip route add blackhole 10.9.0.0/16", RTM_NEWROUTE, "02100000 fe030006 00000000 08000100 0a090000",
     {{"family", int64_t{2}}, {"toLength", int64_t{16}}, {"headerTable", int64_t{254}}, {"protocol", int64_t{3}}, {"type", int64_t{6}},
      {"to", ip_text("10.9.0.0")}}},
    {"ip route delete 10.1.0.0/16", RTM_DELROUTE, "02100000 fe00ff00 00000000 08000100 0a010000",
     {{"family", int64_t{2}}, {"toLength", int64_t{16}}, {"headerTable", int64_t{254}}, {"scope", int64_t{255}},
      {"to", ip_text("10.1.0.0")}}},
};
// clang-format on

// The attributes that iproute2 writes its own way: nests without NLA_F_NESTED, IFLA_INFO_KIND without the NUL at its end. The
// kernel takes both; here, and only here, they are made equal.
void same_attributes(std::span<const uint8_t> ours, std::span<const uint8_t> theirs, const Schema& schema,
                     const std::string& where) {
  const auto list = [](std::span<const uint8_t> bytes) {
    std::vector<AttributeView> views;
    check(each_attribute(bytes, [&](AttributeView view) { return views.push_back(view), true; }), "lengths are right");
    return views;
  };
  const auto mine = list(ours);
  const auto recorded = list(theirs);
  equal(mine.size(), recorded.size());
  for (size_t at = 0; at < mine.size(); ++at) {
    const std::string place = where + "." + std::to_string(mine[at].type);
    equal(mine[at].type, recorded[at].type);
    const Schema* inner = nullptr;
    bool is_kind = false;
    for (const Attribute& attribute : schema.attributes) {
      if (attribute.number != mine[at].type) continue;
      is_kind = attribute.kernel == "IFLA_INFO_KIND";
      inner = attribute.schema;
      if (attribute.shape == Shape::chosen) inner = attribute.choices[text_of(mine[0].payload) == "veth" ? 0 : 1].schema;
    }
    if (inner != nullptr) {
      equal(hex(mine[at].payload.first(inner->header_size)), hex(recorded[at].payload.first(inner->header_size)));
      same_attributes(mine[at].payload.subspan(inner->header_size), recorded[at].payload.subspan(inner->header_size), *inner,
                      place);
    } else if (is_kind) {
      equal(text_of(mine[at].payload), text_of(recorded[at].payload));
    } else {
      check(hex(mine[at].payload) == hex(recorded[at].payload),
            place + ": " + hex(mine[at].payload) + ", not " + hex(recorded[at].payload));
    }
  }
}

void encodes_like(const Recording& recording) {
  const Schema& schema = *type_of(recording.type).schema;
  const Bytes theirs = bytes_of(recording.bytes);
  MessageBuffer message;
  message.start(recording.type, 0, 1);
  auto done = encode(message, schema, recording.object);
  check(static_cast<bool>(done), done ? "" : done.error().attribute + ": " + done.error().extack);
  const auto ours = message.bytes().subspan(NLMSG_HDRLEN);
  equal(hex(ours.first(schema.header_size)), hex(std::span(theirs).first(schema.header_size)));
  same_attributes(ours.subspan(schema.header_size), std::span(theirs).subspan(schema.header_size), schema, "");
}

// Header fields that the object left out are zero.
void decodes_as(const Recording& recording) {
  const Schema& schema = *type_of(recording.type).schema;
  const Exact theirs(bytes_of(recording.bytes));
  auto decoded = decode(schema, theirs.span(), Unknown::keep);
  check(static_cast<bool>(decoded), "it decodes");
  check(find(decoded.value(), "other") == nullptr, "every attribute is known: " + show(decoded.value()));
  for (const auto& [name, value] : recording.object) {
    const Value* found = find(decoded.value(), name);
    check(found != nullptr, name + " is there");
    if (name != "info") equal(*found, value);
  }
  MessageBuffer again;
  again.start(recording.type, 0, 1);
  check(static_cast<bool>(encode(again, schema, decoded.value())), "it encodes again");
  same_attributes(again.bytes().subspan(NLMSG_HDRLEN + schema.header_size), theirs.span().subspan(schema.header_size), schema,
                  "");
}

// Whatever is cut off: a value or an error, and under the address sanitizer no read beyond the end.
void survives_truncation(const Recording& recording) {
  const Schema& schema = *type_of(recording.type).schema;
  const Bytes theirs = bytes_of(recording.bytes);
  // What ends between two attributes is whole.
  std::vector<size_t> seams{schema.header_size};
  each_attribute(std::span(theirs).subspan(schema.header_size), [&](AttributeView view) {
    const auto end = static_cast<size_t>(view.payload.data() + view.payload.size() - theirs.data());
    for (size_t at = end; at <= MNL_ALIGN(end); ++at) seams.push_back(at);
    return true;
  });
  for (size_t length = 0; length < theirs.size(); ++length) {
    const Exact cut(std::span<const uint8_t>(theirs).first(length));
    const bool is_seam = std::find(seams.begin(), seams.end(), length) != seams.end();
    auto decoded = decode(schema, cut.span(), Unknown::keep);
    check(static_cast<bool>(decoded) == is_seam, "cut after " + std::to_string(length) + " of " + std::to_string(theirs.size()));
    if (!decoded) equal(decoded.error().code, EBADMSG);
  }
}

// Every length field in turn says too much and too little.
void survives_lies(const Recording& recording) {
  const Schema& schema = *type_of(recording.type).schema;
  const Bytes theirs = bytes_of(recording.bytes);
  for (size_t at = schema.header_size; at + 1 < theirs.size(); at += 2) {
    for (const uint16_t lie : std::initializer_list<uint16_t>{0, 1, 3, 5, 17, 255, 65535}) {
      Bytes changed = theirs;
      std::memcpy(changed.data() + at, &lie, sizeof lie);
      const Exact bytes(changed);
      static_cast<void>(decode(schema, bytes.span(), Unknown::keep));
    }
  }
}

}  // namespace

int main() {
  std::vector<Test> tests;
  for (const Recording& recording : recordings) {
    tests.push_back({recording.command, [&] {
                       encodes_like(recording);
                       decodes_as(recording);
                       survives_truncation(recording);
                       survives_lies(recording);
                     }});
  }
  return run(tests);
}
