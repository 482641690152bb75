// Whatever arrives in a datagram: each message decoded by its schema and encoded again, read as news and as an acknowledgement,
// and asked for the path at an offset. Begins with the recordings of test/golden.
//
//   npm run fuzz [-- -max_total_time=60]
#include <linux/netlink.h>

#include <algorithm>
#include <cstdlib>

#include "core/conntrack/schema.h"
#include "core/netlink/codec.h"
#include "core/netlink/extack.h"
#include "core/netlink/monitor.h"
#include "core/netlink/registry.h"
#include "core/nftables/messages.h"
#include "core/rtnetlink/schema.h"
#include "setting.h"

using namespace netlink_ct;
using netlink_ct::test::Setting;

namespace {

// A type that nobody speaks stands for one of those that are spoken, so that every number reaches a decoder.
const MessageType& type_of(int protocol, uint16_t number) {
  if (const MessageType* type = message_type(protocol, number)) return *type;
  const auto types = protocol == NETLINK_ROUTE ? rtnetlink_messages()
                     : number % 8 == 0         ? conntrack_messages()
                                               : nftables_messages();
  return types[number % types.size()];
}

// What was understood goes out again, comes back, and goes out as the same bytes; but for devices, whose settings the kernel
// takes as a nest and tells as an array (Shape::numbers).
void round_trip(const Schema& schema, const Object& object) {
  MessageBuffer message;
  message.start(NLMSG_MIN_TYPE, 0, 1);
  if (!encode(message, schema, object)) return;  // what the kernel would never send: an address without bytes, a name twice
  auto again = decode(schema, message.bytes().subspan(NLMSG_HDRLEN), Unknown::keep);
  if (!again) std::abort();
  if (&schema == &link_schema) return;
  MessageBuffer same;
  same.start(NLMSG_MIN_TYPE, 0, 1);
  if (!encode(same, schema, again.value()) || !std::ranges::equal(same.bytes(), message.bytes())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Setting setting{};
  if (size < sizeof setting) return 0;
  std::memcpy(&setting, data, sizeof setting);
  const std::span<const uint8_t> datagram(data + sizeof setting, size - sizeof setting);
  const int protocol = setting.netfilter % 2 == 0 ? NETLINK_ROUTE : NETLINK_NETFILTER;

  std::vector<News> news;
  static_cast<void>(read_news(protocol, datagram, std::nullopt, news));

  auto rest = datagram;
  while (rest.size() >= NLMSG_HDRLEN) {
    nlmsghdr header;
    std::memcpy(&header, rest.data(), sizeof header);
    const auto length = std::clamp<size_t>(header.nlmsg_len, NLMSG_HDRLEN, rest.size());
    const auto message = rest.first(length);
    const auto payload = message.subspan(NLMSG_HDRLEN);
    rest = rest.subspan(std::min<size_t>(NLMSG_ALIGN(length), rest.size()));

    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE)
      static_cast<void>(parse_acknowledgement(header, payload));
    const MessageType& type = type_of(protocol, header.nlmsg_type);
    const Schema& schema = *type.schema;
    for (const Schema* spoken : {&schema, &answer_schema(type)}) {
      auto object = decode(*spoken, payload, setting.keep % 2 == 0 ? Unknown::drop : Unknown::keep);
      if (object) round_trip(*spoken, object.value());
    }
    static_cast<void>(attribute_path(schema, message, setting.offset));
    static_cast<void>(missing_path(schema, message, setting.offset, setting.keep));
  }
  return 0;
}
