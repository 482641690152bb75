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

// An answer as it came, message behind message with their headers.
struct Answer {
  std::vector<uint8_t> bytes;
  bool torn = false;
};

// Decodes nothing: the kernel writes the next part when this one is read, and what changes in between tears the dump.
Result<Answer> ask(Socket& socket, const MessageType& type, const Object& body) {
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

  Answer answer;
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
      const auto whole = bytes.first(std::min<size_t>(MNL_ALIGN(header.nlmsg_len), bytes.size()));
      bytes = bytes.subspan(whole.size());
      if (header.nlmsg_seq != sequence) continue;
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) answer.torn = true;
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
        const auto payload = whole.first(header.nlmsg_len).subspan(MNL_NLMSG_HDRLEN);
        auto acknowledgement = parse_acknowledgement(header, payload);
        if (!acknowledgement) return acknowledgement.error();
        if (acknowledgement.value().code != 0) return explained(type, request.bytes(), acknowledgement.value());
        return answer;
      }
      answer.bytes.insert(answer.bytes.end(), whole.begin(), whole.end());
    }
  }
}

Result<std::vector<Object>> objects_of(int protocol, std::span<const uint8_t> bytes, Unknown unknown) {
  std::vector<Object> objects;
  while (!bytes.empty()) {
    nlmsghdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const auto payload = bytes.first(header.nlmsg_len).subspan(MNL_NLMSG_HDRLEN);
    bytes = bytes.subspan(std::min<size_t>(MNL_ALIGN(header.nlmsg_len), bytes.size()));
    const MessageType* type = message_type(protocol, header.nlmsg_type);
    if (type == nullptr) continue;
    auto object = decode(*type->schema, payload, unknown);
    if (!object) return object.error();
    objects.push_back(std::move(object.value()));
  }
  return objects;
}

}  // namespace

Result<Dump> dump(Socket& socket, const MessageType& type, const Object& body, Unknown unknown, Patience patience) {
  const auto end = std::chrono::steady_clock::now() + patience.time;
  for (int readings = 1;; ++readings) {
    auto answer = ask(socket, type, body);
    if (!answer) return answer.error();
    const bool torn = answer.value().torn;
    if (torn && (readings < patience.readings || std::chrono::steady_clock::now() < end)) continue;
    auto objects = objects_of(socket.protocol(), answer.value().bytes, unknown);
    if (!objects) return objects.error();
    return Dump{.objects = std::move(objects.value()), .torn = torn, .readings = readings};
  }
}

}  // namespace netlink_ct
