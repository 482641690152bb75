#include "core/netlink/registry.h"

#include <linux/netlink.h>

#include <algorithm>

#include "core/conntrack/schema.h"
#include "core/nftables/messages.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

template <typename Key, typename Projection>
const MessageType* search(std::span<const MessageType> types, Key key, Projection projection) {
  const auto found = std::ranges::find(types, key, projection);
  return found == types.end() ? nullptr : &*found;
}

}  // namespace

const MessageType* message_type(std::string_view name) {
  for (const auto types : {rtnetlink_messages(), nftables_messages(), conntrack_messages()}) {
    if (const auto* found = search(types, name, &MessageType::name)) return found;
  }
  return nullptr;
}

const MessageType* message_type(int protocol, uint16_t number) {
  if (protocol == NETLINK_ROUTE) return search(rtnetlink_messages(), number, &MessageType::number);
  const auto* found = search(nftables_messages(), number, &MessageType::number);
  return found != nullptr ? found : search(conntrack_messages(), number, &MessageType::number);
}

}  // namespace netlink_ct
