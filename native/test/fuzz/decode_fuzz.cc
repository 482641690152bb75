// Whatever arrives in a datagram: decoded by every schema, read as an acknowledgement, and asked for the path at every offset.
//
//   npm run fuzz [-- -max_total_time=60]
#include <linux/netlink.h>

#include <cstdlib>

#include "core/netlink/codec.h"
#include "core/netlink/extack.h"
#include "core/netlink/registry.h"

using namespace netlink_ct;

namespace {

constexpr std::string_view names[] = {
    "RTM_NEWLINK",       "RTM_NEWADDR",    "RTM_NEWROUTE",       "NFT_MSG_NEWTABLE", "NFT_MSG_NEWCHAIN",
    "NFT_MSG_NEWRULE",   "NFT_MSG_NEWSET", "NFT_MSG_NEWSETELEM", "NFT_MSG_NEWOBJ",   "NFT_MSG_NEWGEN",
    "IPCTNL_MSG_CT_NEW", "RTM_NEWVLAN",    "RTM_NEWMDB",
};

// What was understood goes out again, and comes back as the same.
void round_trip(const Schema& schema, const Object& object) {
  MessageBuffer message;
  message.start(NLMSG_MIN_TYPE, 0, 1);
  if (!encode(message, schema, object)) return;  // what the kernel would never send: an address without bytes, a name twice
  auto again = decode(schema, message.bytes().subspan(NLMSG_HDRLEN), Unknown::keep);
  if (!again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::span<const uint8_t> bytes(data + 2, size - 2);

  for (const std::string_view name : names) {
    const MessageType* type = message_type(name);
    if (type == nullptr) continue;
    auto object = decode(answer_schema(*type), bytes, data[0] % 2 == 0 ? Unknown::keep : Unknown::drop);
    if (object) round_trip(answer_schema(*type), object.value());
    static_cast<void>(attribute_path(*type->schema, bytes, data[1]));
    static_cast<void>(missing_path(*type->schema, bytes, data[1], data[0]));
  }

  nlmsghdr header{};
  header.nlmsg_type = (data[0] & 1) != 0 ? NLMSG_ERROR : NLMSG_DONE;
  header.nlmsg_flags = static_cast<uint16_t>(((data[0] & 2) != 0 ? NLM_F_ACK_TLVS : 0) | ((data[0] & 4) != 0 ? NLM_F_CAPPED : 0));
  static_cast<void>(parse_acknowledgement(header, bytes));
  return 0;
}
