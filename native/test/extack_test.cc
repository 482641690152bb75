// The extended acknowledgement: its fields, and the way from an offset to the names of attributes.
#include "core/netlink/extack.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "core/netlink/codec.h"
#include "core/netlink/registry.h"
#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes number(int32_t value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// The header of the request as the kernel echoes it in nlmsgerr.
Bytes echoed(uint32_t length) {
  nlmsghdr header{};
  header.nlmsg_len = length;
  header.nlmsg_type = RTM_NEWLINK;
  Bytes bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

Bytes attribute(uint16_t type, const Bytes& payload) {
  MessageBuffer message;
  message.start(NLMSG_ERROR, 0, 0);
  message.put(type, std::span<const uint8_t>(payload));
  const auto bytes = message.bytes().subspan(NLMSG_HDRLEN);
  return {bytes.begin(), bytes.end()};
}

Bytes text(std::string_view message) { return attribute(NLMSGERR_ATTR_MSG, Bytes(message.begin(), message.end()) + Bytes{0}); }

Result<Acknowledgement> parse(uint16_t type, uint16_t flags, const Bytes& payload) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  const Exact exact(payload);
  return parse_acknowledgement(header, exact.span());
}

void capped() {
  const Bytes payload = number(-EEXIST) + echoed(100) + text("bad request") + attribute(NLMSGERR_ATTR_OFFS, number(36));
  auto parsed = parse(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, payload);
  check(static_cast<bool>(parsed), "it is well-formed");
  equal(parsed.value().code, EEXIST);
  equal(parsed.value().message, std::string("bad request"));
  equal(parsed.value().offset, uint32_t{36});
}

void uncapped() {
  const Bytes request(84, 0xff);  // not attributes, should anyone take them for such
  const Bytes payload = number(-EINVAL) + echoed(100) + request + text("bad request");
  auto parsed = parse(NLMSG_ERROR, NLM_F_ACK_TLVS, payload);
  check(static_cast<bool>(parsed), "it is well-formed");
  equal(parsed.value().code, EINVAL);
  equal(parsed.value().message, std::string("bad request"));
}

void plain() {
  auto refused = parse(NLMSG_ERROR, 0, number(-EPERM) + echoed(100) + Bytes(84));
  check(refused && refused.value().code == EPERM && refused.value().message.empty(), "an old kernel gives the number alone");
  auto success = parse(NLMSG_ERROR, NLM_F_CAPPED, number(0) + echoed(32));
  check(success && success.value().code == 0, "success");
  auto warning = parse(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, number(0) + echoed(32) + text("did it, but"));
  check(warning && warning.value().code == 0 && warning.value().message == "did it, but", "success with a warning");
}

void done() {
  auto parsed = parse(NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS,
                      number(-EINVAL) + text("bad request") + attribute(NLMSGERR_ATTR_OFFS, number(2)));
  check(static_cast<bool>(parsed), "it is well-formed");
  equal(parsed.value().code, EINVAL);
  equal(parsed.value().message, std::string("bad request"));
  equal(parsed.value().offset, uint32_t{2});
  check(static_cast<bool>(parse(NLMSG_DONE, NLM_F_MULTI, number(0))), "the plain end of a dump");
}

void missing() {
  // NLMSGERR_ATTR_MISS_TYPE and _MISS_NEST
  auto parsed = parse(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS,
                      number(-EINVAL) + echoed(100) + attribute(5, number(1)) + attribute(6, number(60)));
  check(static_cast<bool>(parsed), "it is well-formed");
  equal(parsed.value().missing, uint32_t{1});
  equal(parsed.value().missing_parent, uint32_t{60});
}

// NLMSGERR_ATTR_POLICY as Linux 6.18 sends it; the request is in front of each.
void policies() {
  const auto policy_in = [](std::string_view bytes) {
    auto parsed = parse(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, number(-ERANGE) + echoed(100) + bytes_of(bytes));
    check(static_cast<bool>(parsed), "it is well-formed");
    return parsed.value().policy;
  };
  // RTM_NEWLINK with IFLA_GSO_MAX_SIZE 1
  auto gso = policy_in("24000480 0c000400c100000000000000 0c000500ffffffff00000000 0800010004000000");
  check(gso.has_value(), "a policy");
  check(gso == Policy{.type = NL_ATTR_TYPE_U32, .min = 193, .max = 4294967295}, "an unsigned range");
  // IFLA_LINK_NETNSID of one byte
  auto nsid = policy_in("24000480 0c00020000000080ffffffff 0c000300ffffff7f00000000 0800010008000000");
  check(nsid == Policy{.type = NL_ATTR_TYPE_S32, .signed_min = INT32_MIN, .signed_max = INT32_MAX}, "a signed range");
  // IFLA_IFNAME of 20 characters
  check(policy_in("14000480 080007000f000000 080001000c000000") == Policy{.type = NL_ATTR_TYPE_NUL_STRING, .max_length = 15},
        "a greatest length");
  check(policy_in("1c000480 0800060004000000 0800070010000000 080001000a000000") ==
            Policy{.type = NL_ATTR_TYPE_BINARY, .min_length = 4, .max_length = 16},
        "both lengths");
  // NDA_FLAGS_EXT of one byte
  check(policy_in("18000480 0c000c000500000000000000 0800010004000000") == Policy{.type = NL_ATTR_TYPE_U32, .mask = 5}, "a mask");
  // TCA_ACT_FLAGS with all bits
  check(policy_in("14000480 08000a0007000000 080001000f000000") == Policy{.type = NL_ATTR_TYPE_BITFIELD32, .mask = 7},
        "the mask of a bitfield");
  check(!policy_in("04000480"), "an empty policy says nothing");
  check(!policy_in("0c000480 ffff010004000000"), "a policy that lies costs nothing but itself");
  check(policy_in("14000480 0500010004000000 05000400ff000000").has_value() == false, "fields of wrong lengths are passed over");
  equal(policy_type(NL_ATTR_TYPE_U32), "u32");
  equal(policy_type(NL_ATTR_TYPE_BITFIELD32), "bitfield32");
  equal(policy_type(17), "uint");
  equal(policy_type(4711), "type 4711");
}

// The cookie is nobody's here; a bad length of a number that is not needed is no reason to lose the rest.
void passed_over() {
  auto parsed = parse(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS,
                      number(-EINVAL) + echoed(100) + attribute(NLMSGERR_ATTR_COOKIE, {1, 2, 3}) +
                          attribute(NLMSGERR_ATTR_OFFS, {1}) + attribute(99, {}) + text("bad request"));
  check(static_cast<bool>(parsed), "it is well-formed");
  equal(parsed.value().message, std::string("bad request"));
  equal(parsed.value().offset, uint32_t{0});
}

void malformed() {
  const auto refused = [](const char* what, uint16_t type, uint16_t flags, const Bytes& payload) {
    auto parsed = parse(type, flags, payload);
    check(!parsed, std::string(what) + " is refused");
    equal(parsed.error().code, EBADMSG);
  };
  constexpr uint16_t flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
  refused("an empty payload", NLMSG_ERROR, flags, {});
  refused("half a number", NLMSG_ERROR, flags, {1, 2});
  refused("a positive number", NLMSG_ERROR, flags, number(1) + echoed(32));
  refused("a number that is no errno", NLMSG_ERROR, flags, number(-4096) + echoed(32));
  refused("the most negative number", NLMSG_ERROR, flags, number(INT32_MIN) + echoed(32));
  refused("half an echoed header", NLMSG_ERROR, flags, number(-EINVAL) + Bytes(8));
  refused("an echo longer than the message", NLMSG_ERROR, NLM_F_ACK_TLVS, number(-EINVAL) + echoed(1000) + Bytes(20));
  refused("an echo of four gigabytes", NLMSG_ERROR, NLM_F_ACK_TLVS, number(-EINVAL) + echoed(UINT32_MAX) + Bytes(20));
  refused("an attribute that lies", NLMSG_ERROR, flags, number(-EINVAL) + echoed(32) + bytes_of("ff00 0100 00000000"));
  refused("the same in the end of a dump", NLMSG_DONE, flags, number(-EINVAL) + bytes_of("ff00 0100 00000000"));
}

void cut_anywhere() {
  const Bytes whole = number(-EEXIST) + echoed(100) + text("bad request") + attribute(NLMSGERR_ATTR_OFFS, number(36));
  for (size_t length = 0; length < whole.size(); ++length) {
    for (const uint16_t flags : std::initializer_list<uint16_t>{0, NLM_F_ACK_TLVS, NLM_F_ACK_TLVS | NLM_F_CAPPED}) {
      static_cast<void>(parse(NLMSG_ERROR, flags, Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))));
      static_cast<void>(parse(NLMSG_DONE, flags, Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))));
    }
  }
}

struct Request {
  const Schema* schema;
  Bytes bytes;

  Request(const char* type, const Object& object) : schema(message_type(type)->schema) {
    MessageBuffer message;
    message.start(message_type(type)->number, NLM_F_REQUEST, 1);
    check(static_cast<bool>(encode(message, *schema, object)), "the request encodes");
    bytes.assign(message.bytes().begin(), message.bytes().end());
  }

  // Where the n-th attribute with this header (length and type) starts.
  [[nodiscard]] uint32_t find(std::string_view header, int nth = 0) const {
    const Bytes wanted = bytes_of(header);
    for (size_t at = NLMSG_HDRLEN; at + wanted.size() <= bytes.size(); at += 4) {
      if (std::equal(wanted.begin(), wanted.end(), bytes.begin() + static_cast<ptrdiff_t>(at)) && nth-- == 0)
        return static_cast<uint32_t>(at);
    }
    fail("no attribute " + std::string(header) + " in " + hex(bytes));
  }
  [[nodiscard]] std::string path(uint32_t offset) const { return attribute_path(*schema, bytes, offset); }
};

const Object bridge{
    {"index", int64_t{9}},
    {"name", "br0"},
    {"info", Object{{"kind", "bridge"}, {"data", Object{{"stp", int64_t{1}}, {"priority", int64_t{4096}}}}}},
};

void paths() {
  const Request request("RTM_NEWLINK", bridge);
  equal(request.path(request.find("08000300")), "IFLA_IFNAME");
  equal(request.path(request.find("24001280")), "IFLA_LINKINFO");
  equal(request.path(request.find("0b000100")), "IFLA_LINKINFO.IFLA_INFO_KIND");
  equal(request.path(request.find("14000280")), "IFLA_LINKINFO.IFLA_INFO_DATA");
  equal(request.path(request.find("06000600")), "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_PRIORITY");
}

void header_paths() {
  const Request request("RTM_NEWLINK", bridge);
  equal(request.path(NLMSG_HDRLEN + offsetof(ifinfomsg, ifi_index)), "index");
  equal(request.path(NLMSG_HDRLEN + offsetof(ifinfomsg, ifi_flags)), "flags");
}

void message_paths() {
  const Request request(
      "RTM_NEWLINK",
      {{"info", Object{{"kind", "veth"}, {"data", Object{{"peer", Object{{"mtu", int64_t{9}}, {"name", "eth0"}}}}}}}});
  equal(request.path(request.find("08000400")), "IFLA_LINKINFO.IFLA_INFO_DATA.VETH_INFO_PEER.IFLA_MTU");
  equal(request.path(request.find("09000300")), "IFLA_LINKINFO.IFLA_INFO_DATA.VETH_INFO_PEER.IFLA_IFNAME");
}

void list_paths() {
  const Value element(Object{{"key", Object{{"value", Bytes{1, 2, 3, 4}}}}});
  const Request request("NFT_MSG_NEWSETELEM",
                        {{"family", int64_t{1}}, {"table", "t"}, {"set", "s"}, {"elements", List{element, element, element}}});
  equal(request.path(request.find("10000180", 0)), "NFTA_SET_ELEM_LIST_ELEMENTS[0]");
  equal(request.path(request.find("10000180", 2)), "NFTA_SET_ELEM_LIST_ELEMENTS[2]");
  equal(request.path(request.find("08000100", 1)), "NFTA_SET_ELEM_LIST_ELEMENTS[1].NFTA_SET_ELEM_KEY.NFTA_DATA_VALUE");
}

void missing_paths() {
  const Request request("RTM_NEWLINK", bridge);
  equal(missing_path(*request.schema, request.bytes, 0, IFLA_IFNAME), "IFLA_IFNAME");
  equal(missing_path(*request.schema, request.bytes, request.find("24001280"), IFLA_INFO_KIND), "IFLA_LINKINFO.IFLA_INFO_KIND");
  equal(missing_path(*request.schema, request.bytes, request.find("14000280"), IFLA_BR_AGEING_TIME),
        "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_AGEING_TIME");
  equal(missing_path(*request.schema, request.bytes, 0, 999), "attribute 999");
}

void explanations() {
  const Request request("RTM_NEWLINK", bridge);
  const MessageType& type = *message_type("RTM_NEWLINK");
  Acknowledgement acknowledgement{.code = ERANGE,
                                  .message = "integer out of range",
                                  .offset = request.find("06000600"),
                                  .policy = Policy{.type = NL_ATTR_TYPE_U16, .min = 1}};
  const Error error = explain(type, request.bytes, acknowledgement);
  equal(error.code, ERANGE);
  equal(error.syscall, "RTM_NEWLINK");
  equal(error.extack, "integer out of range");
  equal(error.attribute, "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_BR_PRIORITY");
  check(error.policy == acknowledgement.policy, "its policy");
  check(error.missing.empty() && error.note.empty(), "nothing that was not said");
  const Error lacking =
      explain(type, request.bytes,
              Acknowledgement{.code = EINVAL, .missing = IFLA_INFO_KIND, .missing_parent = request.find("24001280")});
  equal(lacking.missing, "IFLA_LINKINFO.IFLA_INFO_KIND");
  check(lacking.attribute.empty(), "it points at nothing");
  acknowledgement.offset = 4711;
  const Error lost = explain(type, request.bytes, acknowledgement);
  check(lost.attribute.empty() && !lost.policy, "a policy without its attribute says nothing");
}

void warnings() {
  const Request request("RTM_NEWLINK", bridge);
  const MessageType& type = *message_type("RTM_NEWLINK");
  const auto warning = warning_of(type, request.bytes, {.message = "did it, but", .offset = request.find("08000300")});
  check(warning.has_value(), "a warning");
  equal(warning->message, "did it, but");
  equal(warning->attribute, "IFLA_IFNAME");
  check(!warning_of(type, request.bytes, {}), "a plain success has none");
  check(!warning_of(type, request.bytes, {.code = EINVAL, .message = "bad request"}), "a refusal is none");
}

void nowhere() {
  const Request request("RTM_NEWLINK", bridge);
  equal(request.path(0), "");
  equal(request.path(4), "");
  equal(request.path(static_cast<uint32_t>(request.bytes.size())), "");
  equal(request.path(UINT32_MAX), "");
  equal(attribute_path(*request.schema, {}, 36), "");
}

void unknown() {
  const Request request("RTM_NEWLINK", {{"other", List{Object{{"type", int64_t{999}}, {"data", Bytes{1, 2, 3, 4}}}}}});
  equal(request.path(request.find("0800e703")), "attribute 999");
}

void every_offset() {
  for (const Object& object : {bridge, Object{}}) {
    const Request request("RTM_NEWLINK", object);
    for (uint32_t offset = 0; offset < request.bytes.size() + 8; ++offset) {
      for (size_t length = 0; length <= request.bytes.size(); length += 3) {
        const Exact cut(std::span(request.bytes).first(length));
        static_cast<void>(attribute_path(*request.schema, cut.span(), offset));
        static_cast<void>(missing_path(*request.schema, cut.span(), offset, 1));
      }
    }
  }
}

}  // namespace

int main() {
  return run({
      {"a capped refusal has its number, text and offset", capped},
      {"an uncapped refusal echoes the request in front of the text", uncapped},
      {"an acknowledgement without attributes is a number", plain},
      {"the end of a dump can refuse, with a text", done},
      {"a missing attribute is given by its nest and number", missing},
      {"what an attribute takes is told by its policy", policies},
      {"what nobody needs is passed over, also when it lies", passed_over},
      {"a malformed acknowledgement is EBADMSG", malformed},
      {"an acknowledgement cut anywhere is read within its bounds", cut_anywhere},
      {"an offset becomes the path of attribute names", paths},
      {"an offset in the fixed header becomes the field's name", header_paths},
      {"a path goes through the message inside a veth", message_paths},
      {"the items of a list are told by their position", list_paths},
      {"a missing attribute is named below its nest", missing_paths},
      {"a refusal is explained with the names of its attributes", explanations},
      {"text on a success is a warning", warnings},
      {"an offset that points nowhere has no path", nowhere},
      {"an attribute without a name is told by its number", unknown},
      {"every offset of every cut of a request is answered", every_offset},
  });
}
