// The messages of traffic control against what tc sends for the same wish, and back.
//
// Recorded with iproute2 6.1 in an empty namespace, where v0 has index 3 and i0, an ifb, index 5:
//   strace -e trace=sendmsg -e write=all -x -s 8192 tc …
// Each entry holds what follows the nlmsghdr, without the rate tables (TCA_TBF_RTAB and its like, 1028 bytes each), which this
// library leaves out where the kernel does.
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

const Schema& schema_of(uint16_t number) {
  for (const MessageType& type : rtnetlink_messages()) {
    if (type.number == number) return *type.schema;
  }
  fail("no message type " + std::to_string(number));
}

Value n(int64_t number) { return number; }

// A tc_ratespec as tc fills it, among the fields of its structure.
Object with_rate(Object fields, const std::string& name, int64_t rate) {
  fields.emplace_back(name + "CellLog", n(3));
  fields.emplace_back(name + "LinkLayer", n(1));
  fields.emplace_back(name + "CellAlign", n(-1));
  fields.emplace_back(name, n(rate));
  return fields;
}

Object header(int64_t handle, int64_t parent, int64_t info, const char* kind) {
  return {{"index", n(3)}, {"handle", n(handle)}, {"parent", n(parent)}, {"info", n(info)}, {"kind", kind}};
}

Object with_options(Object object, Object options) {
  object.emplace_back("options", std::move(options));
  return object;
}

constexpr int64_t root = 0xffffffff;
constexpr int64_t ingress = 0xfffffff1;
constexpr int64_t ingress_hook = 0xfffffff2;
constexpr uint64_t forty_gigabits = 5'000'000'000;
constexpr int64_t most = 0xffffffff;

// clang-format off
const std::vector<Recording> recordings = {
    {"tc qdisc replace dev v0 root handle 1: tbf rate 8mbit burst 32kb latency 50ms", RTM_NEWQDISC,
     "00000000 03000000 00000100 ffffffff 00000000 08000100 74626600 34000200 28000100 03010000 ffff0000 40420f00"
     "00000000 00000000 00000000 50430100 00d00700 00000000 08000600 00800000",
     with_options(header(0x10000, root, 0, "tbf"),
                  {{"parameters", with_rate({{"limit", n(82768)}, {"buffer", n(512000)}}, "rate", 1000000)}, {"burst", n(32768)}})},
    {"tc qdisc replace dev v0 root handle 1: tbf rate 40gbit burst 1mb limit 2mb", RTM_NEWQDISC,
     "00000000 03000000 00000100 ffffffff 00000000 08000100 74626600 40000200 28000100 03010000 ffff0000 ffffffff"
     "00000000 00000000 00000000 00002000 e40e0000 00000000 08000600 00001000 0c000400 00f2052a 01000000",
     with_options(header(0x10000, root, 0, "tbf"),
                  {{"parameters", with_rate({{"limit", n(2 << 20)}, {"buffer", n(3812)}}, "rate", most)}, {"burst", n(1 << 20)},
                   {"rate64", forty_gigabits}})},
    {"tc qdisc replace dev v0 root handle 1: tbf rate 8mbit burst 32kb limit 100kb peakrate 16mbit mtu 2000", RTM_NEWQDISC,
     "00000000 03000000 00000100 ffffffff 00000000 08000100 74626600 3c000200 28000100 03010000 ffff0000 40420f00"
     "03010000 ffff0000 80841e00 00900100 00d00700 093d0000 08000600 00800000 08000700 d0070000",
     with_options(header(0x10000, root, 0, "tbf"),
                  {{"parameters", with_rate(with_rate({{"limit", n(102400)}, {"buffer", n(512000)}, {"mtu", n(15625)}},
                                                      "rate", 1000000), "peakRate", 2000000)},
                   {"burst", n(32768)}, {"peakBurst", n(2000)}})},
    {"tc qdisc add dev v0 root handle 1: htb default 10 r2q 5", RTM_NEWQDISC,
     "00000000 03000000 00000100 ffffffff 00000000 08000100 68746200 1c000200 18000200 03000000 05000000 10000000"
     "00000000 00000000",
     with_options(header(0x10000, root, 0, "htb"),
                  {{"init", Object{{"version", n(3)}, {"rateToQuantum", n(5)}, {"defaultClass", n(0x10)}}}})},
    {"tc class add dev v0 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit burst 15kb cburst 20kb prio 2", RTM_NEWTCLASS,
     "00000000 03000000 10000100 00000100 00000000 08000100 68746200 34000200 30000100 03010000 ffff0000 48e80100"
     "03010000 ffff0000 90d00300 004c1d00 00881300 00000000 00000000 02000000",
     with_options(header(0x10010, 0x10000, 0, "htb"),
                  {{"parameters", with_rate(with_rate({{"buffer", n(1920000)}, {"ceilBuffer", n(1280000)}, {"priority", n(2)}},
                                                      "rate", 125000), "ceil", 250000)}})},
    {"tc class add dev v0 parent 1: classid 1:11 htb rate 40gbit", RTM_NEWTCLASS,
     "00000000 03000000 11000100 00000100 00000000 08000100 68746200 4c000200 0c000600 00f2052a 01000000 0c000700"
     "00f2052a 01000000 30000100 03010000 ffff0000 ffffffff 03010000 ffff0000 ffffffff 00000000 00000000 00000000"
     "00000000 00000000",
     with_options(header(0x10011, 0x10000, 0, "htb"),
                  {{"rate64", forty_gigabits}, {"ceil64", forty_gigabits},
                   {"parameters", with_rate(with_rate({}, "rate", most), "ceil", most)}})},
    {"tc qdisc add dev v0 parent 1:10 handle 10: pfifo limit 100", RTM_NEWQDISC,
     "00000000 03000000 00001000 10000100 00000000 0a000100 70666966 6f000000 08000200 64000000",
     with_options(header(0x100000, 0x10010, 0, "pfifo"), {{"limit", n(100)}})},
    {"tc qdisc add dev v0 parent 1:11 handle 12: fq_codel limit 1000 target 5ms interval 100ms quantum 1514 flows 512 ecn "
     "memory_limit 4mb ce_threshold 1ms", RTM_NEWQDISC,
     "00000000 03000000 00001200 11000100 00000000 0d000100 66715f63 6f64656c 00000000 44000200 08000200 e8030000"
     "08000500 00020000 08000600 ea050000 08000300 a0860100 08000100 88130000 08000400 01000000 08000700 e8030000"
     "08000900 00004000",
     with_options(header(0x120000, 0x10011, 0, "fq_codel"),
                  {{"limit", n(1000)}, {"flows", n(512)}, {"quantum", n(1514)}, {"interval", n(100000)}, {"target", n(5000)},
                   {"ecn", n(1)}, {"ceThreshold", n(1000)}, {"memoryLimit", n(4 << 20)}})},
    {"tc qdisc add dev v0 parent 1:11 handle 12: netem limit 1000 delay 100ms 10ms 25% loss 1% 20% duplicate 2% reorder 25% 50% "
     "gap 5 corrupt 0.1% rate 1mbit", RTM_NEWQDISC,
     "00000000 03000000 00001200 11000100 00000000 0a000100 6e657465 6d000000 58000200 84d71700 e8030000 295c8f02"
     "05000000 52b81e05 5a620200 10000100 00000040 33333333 00000000 0c000300 00000040 00000080 0c000400 37894100"
     "00000000 14000600 48e80100 00000000 00000000 00000000",
     with_options(header(0x120000, 0x10011, 0, "netem"),
                  {{"latency", n(1562500)}, {"limit", n(1000)}, {"loss", n(42949673)}, {"gap", n(5)}, {"duplicate", n(85899346)},
                   {"jitter", n(156250)},
                   {"correlation", Object{{"delay", n(0x40000000)}, {"loss", n(0x33333333)}}},
                   {"reorder", Object{{"probability", n(0x40000000)}, {"correlation", n(0x80000000)}}},
                   {"corrupt", Object{{"probability", n(4294967)}}}, {"rate", Object{{"rate", n(125000)}}}})},
    {"tc qdisc add dev v0 ingress", RTM_NEWQDISC,
     "00000000 03000000 0000ffff f1ffffff 00000000 0c000100 696e6772 65737300", header(0xffff0000, ingress, 0, "ingress")},
    {"tc qdisc del dev v0 ingress", RTM_DELQDISC,
     "00000000 03000000 0000ffff f1ffffff 00000000 0c000100 696e6772 65737300", header(0xffff0000, ingress, 0, "ingress")},
    {"tc filter add dev v0 parent 1: protocol ip prio 5 u32 match ip dst 10.0.0.0/8 match ip dport 80 0xffff flowid 1:10",
     RTM_NEWTFILTER,
     "00000000 03000000 00000000 00000100 08000500 08000100 75333200 40000200 08000100 10000100 34000500 01000200"
     "00000000 00000000 00000000 ff000000 0a000000 10000000 00000000 0000ffff 00000050 14000000 00000000",
     with_options(header(0, 0x10000, 0x50008, "u32"),
                  {{"classId", n(0x10010)},
                   {"selector", Object{{"flags", n(1)}, {"keys", n(2)},
                                       {"rest", bytes_of("ff000000 0a000000 10000000 00000000 0000ffff 00000050 14000000 00000000")}}}})},
    {"tc filter add dev v0 parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev i0", RTM_NEWTFILTER,
     "00000000 03000000 00000000 0000ffff 00030100 08000100 75333200 60000200 38000700 34000100 0b000100 6d697272"
     "65640000 24000280 20000200 00000000 00000000 04000000 00000000 00000000 01000000 05000000 24000500 01000100"
     "00000000 00000000 00000000 00000000 00000000 00000000 00000000",
     with_options(header(0, 0xffff0000, 0x10300, "u32"),
                  {{"actions", List{Object{{"kind", "mirred"},
                                           {"options", Object{{"parameters", Object{{"action", n(4)}, {"direction", n(1)}, {"dev", n(5)}}}}}}}},
                   {"selector", Object{{"flags", n(1)}, {"keys", n(1)}, {"rest", Bytes(16)}}}})},
    {"tc filter add dev v0 ingress protocol ip prio 2 matchall action police rate 8mbit burst 32k conform-exceed drop/pipe",
     RTM_NEWTFILTER,
     "00000000 03000000 00000000 f2ffffff 08000200 0d000100 6d617463 68616c6c 00000000 60000200 5c000200 58000100"
     "0b000100 706f6c69 63650000 48000280 3c000100 00000000 02000000 00000000 00d00700 00000000 03010000 ffff0000"
     "40420f00 00000000 00000000 00000000 00000000 00000000 00000000 08000500 03000000",
     with_options(header(0, ingress_hook, 0x20008, "matchall"),
                  {{"actions", List{Object{{"kind", "police"},
                                           {"options", Object{{"parameters", with_rate({{"action", n(2)}, {"burst", n(512000)}},
                                                                                       "rate", 1000000)},
                                                              {"result", n(3)}}}}}}})},
    {"tc filter add dev v0 ingress protocol ip prio 4 flower dst_mac 02:00:00:00:00:01 src_ip 10.0.0.0/8 dst_ip 10.1.0.1 "
     "ip_proto tcp dst_port 80 src_port 1000 indev v0 classid 1:1 action drop", RTM_NEWTFILTER,
     "00000000 03000000 00000000 f2ffffff 08000400 0b000100 666c6f77 65720000 a4000200 0a000400 02000000 00010000"
     "0a000500 ffffffff ffff0000 08000a00 0a000000 08000b00 ff000000 08000c00 0a010001 08000d00 ffffffff 05000900"
     "06000000 06001300 00500000 06001200 03e80000 07000200 76300000 08000100 01000100 30000300 2c000100 09000100"
     "67616374 00000000 1c000280 18000200 00000000 00000000 02000000 00000000 00000000 08001600 00000000 06000800"
     "08000000",
     with_options(header(0, ingress_hook, 0x40008, "flower"),
                  {{"destinationMac", "02:00:00:00:00:01"}, {"destinationMacMask", "ff:ff:ff:ff:ff:ff"},
                   {"source4", "10.0.0.0"}, {"source4Mask", "255.0.0.0"},
                   {"destination4", "10.1.0.1"}, {"destination4Mask", "255.255.255.255"}, {"ipProtocol", n(6)},
                   {"tcpDestination", n(80)}, {"tcpSource", n(1000)}, {"indev", "v0"}, {"classId", n(0x10001)},
                   {"actions", List{Object{{"kind", "gact"}, {"options", Object{{"parameters", Object{{"action", n(2)}}}}}}}},
                   {"flags", n(0)}, {"protocol", n(0x0800)}})},
    {"tc filter add dev v0 ingress protocol 802.1q prio 4 flower vlan_id 100 vlan_prio 3 vlan_ethtype ipv6 dst_ip 2001:db8::/32 "
     "ip_proto udp dst_port 53 action pass action mirred egress mirror dev i0", RTM_NEWTFILTER,
     "00000000 03000000 00000000 f2ffffff 81000400 0b000100 666c6f77 65720000 c8000200 06001700 64000000 05001800"
     "03000000 06001900 86dd0000 14001000 20010db8 00000000 00000000 00000000 14001100 ffffffff 00000000 00000000"
     "00000000 05000900 11000000 06001500 00350000 64000300 2c000100 09000100 67616374 00000000 1c000280 18000200"
     "00000000 00000000 00000000 00000000 00000000 34000200 0b000100 6d697272 65640000 24000280 20000200 00000000"
     "00000000 03000000 00000000 00000000 02000000 05000000 08001600 00000000 06000800 81000000",
     with_options(header(0, ingress_hook, 0x40081, "flower"),
                  {{"vlanId", n(100)}, {"vlanPriority", n(3)}, {"vlanProtocol", n(0x86dd)},
                   {"destination6", "2001:db8::"}, {"destination6Mask", "ffff:ffff::"}, {"ipProtocol", n(17)},
                   {"udpDestination", n(53)},
                   {"actions", List{Object{{"kind", "gact"}, {"options", Object{{"parameters", Object{{"action", n(0)}}}}}},
                                    Object{{"kind", "mirred"},
                                           {"options", Object{{"parameters", Object{{"action", n(3)}, {"direction", n(2)}, {"dev", n(5)}}}}}}}},
                   {"flags", n(0)}, {"protocol", n(0x8100)}})},
    {"tc filter del dev v0 ingress protocol all prio 1", RTM_DELTFILTER, "00000000 03000000 00000000 f2ffffff 00030100",
     {{"index", n(3)}, {"parent", n(ingress_hook)}, {"info", n(0x10300)}}},
};
// clang-format on

// This library sets NLA_F_NESTED on every nest and tc on hardly any, and the kernel reads both: where ours has that bit in the
// place of an attribute's type and the recording has not, it is taken away.
Bytes like_tc(std::span<const uint8_t> ours, const Bytes& theirs) {
  Bytes bytes(ours.begin(), ours.end());
  for (size_t at = 3; at < std::min(bytes.size(), theirs.size()); at += 4) {
    if (bytes[at] == (theirs[at] | (NLA_F_NESTED >> 8))) bytes[at] = theirs[at];
  }
  return bytes;
}

void encodes_like(const Recording& recording, const Object& object) {
  MessageBuffer message;
  message.start(recording.type, 0, 1);
  auto done = encode(message, schema_of(recording.type), object);
  check(static_cast<bool>(done), done ? "" : done.error().attribute + ": " + done.error().extack);
  const Bytes theirs = bytes_of(recording.bytes);
  equal(hex(like_tc(message.bytes().subspan(NLMSG_HDRLEN), theirs)), hex(theirs));
}

void survives_truncation(const Recording& recording) {
  const Bytes theirs = bytes_of(recording.bytes);
  for (size_t length = 0; length < theirs.size(); ++length) {
    const Exact cut(std::span<const uint8_t>(theirs).first(length));
    static_cast<void>(decode(schema_of(recording.type), cut.span(), Unknown::keep));
  }
}

}  // namespace

int main() {
  std::vector<Test> tests;
  for (const Recording& recording : recordings) {
    tests.push_back({recording.command, [&] {
                       encodes_like(recording, recording.object);
                       const Exact theirs(bytes_of(recording.bytes));
                       auto decoded = decode(schema_of(recording.type), theirs.span(), Unknown::keep);
                       check(static_cast<bool>(decoded), "it decodes");
                       check(find(decoded.value(), "other") == nullptr, "every attribute is known");
                       encodes_like(recording, decoded.value());
                       survives_truncation(recording);
                     }});
  }
  return run(tests);
}
