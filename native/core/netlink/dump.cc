#include "core/netlink/dump.h"

#include <linux/netlink.h>

#include "core/netlink/extack.h"
#include "core/netlink/registry.h"

namespace netlink_ct {
namespace {

// An answer as it came, message behind message with their headers.
struct Answer {
  std::vector<uint8_t> bytes;
  bool torn = false;
  std::optional<Warning> warning = {};
};

// Decodes nothing: the kernel writes the next part when this one is read, and what changes in between tears the dump.
Result<Answer> read_answer(Socket& socket, const MessageType& type, std::span<const uint8_t> request, uint32_t sequence) {
  Answer answer;
  for (;;) {
    auto datagram = socket.receive();
    if (!datagram) return datagram.error();
    auto bytes = datagram.value();
    if (bytes.empty()) {
      return Error{.code = ENODATA,
                   .syscall = std::string(type.name),
                   .step = {},
                   .extack = {},
                   .attribute = {},
                   .note = "the dump ended without its end"};
    }
    while (!bytes.empty()) {
      const auto rest = bytes;
      auto taken = take_message(bytes);
      if (!taken) return taken.error();
      const auto& [header, payload] = taken.value();
      if (header.nlmsg_seq != sequence) continue;
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) answer.torn = true;
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
        auto acknowledgement = parse_acknowledgement(header, payload);
        if (!acknowledgement) return acknowledgement.error();
        if (acknowledgement.value().code != 0) return explain(type, request, acknowledgement.value());
        answer.warning = warning_of(type, request, acknowledgement.value());
        return answer;
      }
      const auto whole = rest.first(rest.size() - bytes.size());
      answer.bytes.insert(answer.bytes.end(), whole.begin(), whole.end());
    }
  }
}

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
  auto answer = read_answer(socket, type, request.bytes(), sequence);
  // What is left of a dump that was given up would refuse the next one with EBUSY.
  if (!answer) socket.drain();
  return answer;
}

Result<PackedObjects> objects_of(int protocol, std::span<const uint8_t> bytes, Unknown unknown,
                                 std::span<const std::string> wanted) {
  Packer packer;
  std::vector<size_t> ends;
  while (!bytes.empty()) {
    auto taken = take_message(bytes);
    if (!taken) return taken.error();
    const auto& [header, payload] = taken.value();
    const MessageType* type = message_type(protocol, header.nlmsg_type);
    if (type == nullptr) continue;
    if (auto done = decode(packer, answer_schema(*type), payload, unknown, wanted); !done) return done.error();
    ends.push_back(packer.size());
  }
  return PackedObjects(packer.release(), std::move(ends));
}

}  // namespace

Result<Dump> dump(Socket& socket, const MessageType& type, const Object& body, Unknown unknown,
                  std::span<const std::string> wanted, Patience patience) {
  const auto end = std::chrono::steady_clock::now() + patience.time;
  for (int readings = 1;; ++readings) {
    auto answer = ask(socket, type, body);
    const bool torn = answer ? answer.value().torn : answer.error().code == ENOBUFS;
    if (torn && (readings < patience.readings || std::chrono::steady_clock::now() < end)) continue;
    if (!answer) return answer.error();
    auto objects = objects_of(socket.protocol(), answer.value().bytes, unknown, wanted);
    if (!objects) return objects.error();
    return Dump{
        .objects = std::move(objects.value()), .torn = torn, .readings = readings, .warning = std::move(answer.value().warning)};
  }
}

}  // namespace netlink_ct
