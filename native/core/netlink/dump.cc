#include "core/netlink/dump.h"

#include <linux/netlink.h>

#include "core/netlink/extack.h"
#include "core/netlink/registry.h"

namespace netlink_ct {
namespace {

Error explained(const MessageType& type, std::span<const uint8_t> request, const Acknowledgement& acknowledgement) {
  return Error{.code = acknowledgement.code,
               .syscall = std::string(type.name),
               .step = {},
               .extack = acknowledgement.message,
               .attribute = attribute_path(*type.schema, request, acknowledgement.offset)};
}

Result<Dump> attempt(Socket& socket, const MessageType& type, const Object& body, Unknown unknown) {
  MessageBuffer request;
  const uint32_t sequence = socket.next_sequence();
  request.start(type.number, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  auto encoded = encode(request, *type.schema, body);
  if (!encoded) {
    encoded.error().syscall = type.name;
    return encoded.error();
  }
  auto sent = socket.send(request.bytes());
  if (!sent) return sent.error();

  Dump found;
  for (;;) {
    auto datagram = socket.receive();
    if (!datagram) {
      const Error error = datagram.error();
      socket.drain();
      return error;
    }
    auto bytes = datagram.value();
    if (bytes.empty())
      return Error{.code = ENODATA,
                   .syscall = std::string(type.name),
                   .step = {},
                   .extack = "the dump ended without its end",
                   .attribute = {}};
    while (bytes.size() >= MNL_NLMSG_HDRLEN) {
      nlmsghdr header;
      std::memcpy(&header, bytes.data(), sizeof header);
      if (header.nlmsg_len < MNL_NLMSG_HDRLEN || header.nlmsg_len > bytes.size()) break;
      const auto payload = bytes.subspan(MNL_NLMSG_HDRLEN, header.nlmsg_len - MNL_NLMSG_HDRLEN);
      bytes = bytes.subspan(std::min<size_t>(MNL_ALIGN(header.nlmsg_len), bytes.size()));
      if (header.nlmsg_seq != sequence) continue;
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) found.torn = true;
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
        auto acknowledgement = parse_acknowledgement(header, payload);
        if (!acknowledgement) return acknowledgement.error();
        if (acknowledgement.value().code != 0) return explained(type, request.bytes(), acknowledgement.value());
        return found;
      }
      const MessageType* answer = message_type(socket.protocol(), header.nlmsg_type);
      if (answer == nullptr) continue;
      auto object = decode(*answer->schema, payload, unknown);
      if (!object) {
        socket.drain();
        return object.error();
      }
      found.objects.push_back(std::move(object.value()));
    }
  }
}

}  // namespace

Result<Dump> dump(Socket& socket, const MessageType& type, const Object& body, Unknown unknown, int attempts) {
  for (;;) {
    auto found = attempt(socket, type, body, unknown);
    if (!found || !found.value().torn || --attempts <= 0) return found;
  }
}

}  // namespace netlink_ct
