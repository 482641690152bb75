// Building messages, and walking over received ones.
#include "core/netlink/message.h"

#include <linux/rtnetlink.h>

#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

nlmsghdr header_of(std::span<const uint8_t> bytes) {
  nlmsghdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

void lengths_and_padding() {
  MessageBuffer message;
  message.start(RTM_NEWLINK, NLM_F_REQUEST, 7);
  message.header<ifinfomsg>().ifi_index = 0x01020304;
  check(message.put(IFLA_MTU, uint32_t{1500}), "an integer fits");
  check(message.put(IFLA_IFNAME, std::string_view("eth0")), "a name fits");
  check(message.put_flag(99), "a flag fits");
  const nlmsghdr header = header_of(message.bytes());
  equal(size_t{header.nlmsg_len}, message.size());
  equal(header.nlmsg_type, uint16_t{RTM_NEWLINK});
  equal(header.nlmsg_seq, uint32_t{7});
  equal(hex(message.bytes().subspan(NLMSG_HDRLEN)),
        "00000000"
        "04030201"
        "00000000"
        "00000000"
        "08000400"
        "dc050000"
        "09000300"
        "6574683000000000"
        "04006300");
}

void nests() {
  MessageBuffer message;
  message.start(RTM_NEWLINK, 0, 1);
  const size_t outer = message.begin(IFLA_LINKINFO);
  message.put(1, std::string_view("veth"));
  const size_t inner = message.begin(2);
  message.put(3, uint8_t{5});
  check(message.end(inner) && message.end(outer), "both fit");
  equal(hex(message.bytes().subspan(NLMSG_HDRLEN)),
        "1c001280"
        "09000100"
        "7665746800000000"
        "0c000280"
        "0500030005000000");
}

void messages_follow() {
  MessageBuffer message;
  message.start(RTM_NEWLINK, 0, 1);
  message.put(IFLA_IFNAME, std::string_view("a"));
  const size_t second = message.size();
  message.start(RTM_DELLINK, 0, 2);
  message.put(IFLA_MTU, uint32_t{1});
  message.add_flags(second, NLM_F_ACK);
  equal(size_t{header_of(message.bytes()).nlmsg_len}, second);
  const nlmsghdr last = header_of(message.bytes().subspan(second));
  equal(size_t{last.nlmsg_len}, message.size() - second);
  equal(last.nlmsg_flags, uint16_t{NLM_F_ACK});
}

void longest_attribute() {
  MessageBuffer message;
  message.start(RTM_NEWLINK, 0, 1);
  check(message.put(1, std::span<const uint8_t>(Bytes(UINT16_MAX - NLA_HDRLEN))), "65 531 bytes fit");
  const size_t before = message.size();
  check(!message.put(2, std::span<const uint8_t>(Bytes(UINT16_MAX - NLA_HDRLEN + 1))), "one more does not");
  check(!message.fitted(), "and is remembered");
  equal(message.size(), before);
  message.clear();
  check(message.fitted() && message.empty(), "a cleared buffer is new");

  message.start(RTM_NEWLINK, 0, 1);
  check(message.put(1, std::string(UINT16_MAX - NLA_HDRLEN - 1, 'x')), "a text of 65 530 characters fits with its NUL");
  check(!message.put(2, std::string(UINT16_MAX - NLA_HDRLEN, 'x')), "a longer one does not");
}

void longest_nest() {
  MessageBuffer message;
  message.start(RTM_NEWLINK, 0, 1);
  const size_t nest = message.begin(IFLA_LINKINFO);
  check(message.put(1, std::span<const uint8_t>(Bytes(40'000))) && message.put(2, std::span<const uint8_t>(Bytes(40'000))),
        "each fits");
  check(!message.end(nest), "their sum does not");
  check(!message.fitted(), "and is remembered");
}

struct Walk {
  bool whole;
  std::vector<std::string> attributes;
};

Walk walk(std::string_view text) {
  const Exact bytes(bytes_of(text));
  Walk result{};
  result.whole = each_attribute(bytes.span(), [&](AttributeView view) {
    result.attributes.push_back(std::to_string(view.type) + "=" + hex(view.payload));
    return true;
  });
  return result;
}

void walking() {
  const Walk two = walk("0500010001000000 08000280 aabbccdd");
  check(two.whole, "both lengths are right");
  equal(two.attributes[0], std::string("1=01"));
  equal(two.attributes[1], std::string("2=aabbccdd"));  // NLA_F_NESTED is no part of the type
  check(walk("").whole, "no attribute is no error");
  const Walk unpadded = walk("0500010001");
  check(unpadded.whole && unpadded.attributes.size() == 1, "the last may lack its padding");
}

void lies() {
  check(!walk("030001").whole, "three bytes are no header");
  check(!walk("03000100").whole, "a length below the header's");
  check(!walk("00000100").whole, "a length of zero would loop for ever");
  check(!walk("09000100 01020304").whole, "a length beyond the end");
  const Walk second = walk("04000100 ffff0200");
  check(!second.whole && second.attributes.size() == 1, "the second one lies");
}

void texts() {
  equal(text_of(bytes_of("65746830 00")), std::string("eth0"));
  equal(text_of(bytes_of("65746830")), std::string("eth0"));
  equal(text_of(bytes_of("657400 6830")), std::string("et"));
  equal(text_of(std::span<const uint8_t>()), std::string());
}

}  // namespace

int main() {
  return run({
      {"lengths are counted, and padding is zero", lengths_and_padding},
      {"nests close like parentheses and carry NLA_F_NESTED", nests},
      {"messages follow each other in one buffer", messages_follow},
      {"an attribute longer than nla_len can say is refused and writes nothing", longest_attribute},
      {"a nest whose content has outgrown nla_len is refused", longest_nest},
      {"a walk sees each attribute's type and payload", walking},
      {"a length that lies ends the walk with false", lies},
      {"a text ends at its NUL, or where its payload ends", texts},
  });
}
