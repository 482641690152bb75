#include "core/netlink/message.h"

#include <algorithm>

namespace netlink_ct {

uint8_t* MessageBuffer::grow(size_t size) {
  const size_t at = bytes_.size();
  bytes_.resize(at + MNL_ALIGN(size));  // zeroed: padding never carries old memory to the kernel
  return bytes_.data() + at;
}

void MessageBuffer::start(uint16_t type, uint16_t flags, uint32_t sequence) {
  message_ = bytes_.size();
  auto* header = mnl_nlmsg_put_header(grow(MNL_NLMSG_HDRLEN));
  header->nlmsg_type = type;
  header->nlmsg_flags = flags;
  header->nlmsg_seq = sequence;
}

void* MessageBuffer::header(size_t size) { return append(size); }

void* MessageBuffer::append(size_t size) {
  const size_t at = bytes_.size();
  grow(size);
  auto* message = reinterpret_cast<nlmsghdr*>(bytes_.data() + message_);
  message->nlmsg_len = static_cast<uint32_t>(bytes_.size() - message_);
  return bytes_.data() + at;
}

bool MessageBuffer::put(uint16_t type, std::span<const uint8_t> payload) {
  if (payload.size() + MNL_ATTR_HDRLEN > UINT16_MAX) return fitted_ = false;
  const size_t at = message_;
  grow(MNL_ATTR_HDRLEN + payload.size());
  mnl_attr_put(reinterpret_cast<nlmsghdr*>(bytes_.data() + at), type, payload.size(), payload.data());
  return true;
}

bool MessageBuffer::put(uint16_t type, std::string_view text) {
  if (text.size() + 1 + MNL_ATTR_HDRLEN > UINT16_MAX) return fitted_ = false;
  auto* attribute = static_cast<nlattr*>(append(MNL_ATTR_HDRLEN + text.size() + 1));
  attribute->nla_type = type;
  attribute->nla_len = static_cast<uint16_t>(MNL_ATTR_HDRLEN + text.size() + 1);
  std::memcpy(attribute + 1, text.data(), text.size());
  return true;
}

size_t MessageBuffer::begin(uint16_t type) {
  const size_t token = bytes_.size();
  auto* attribute = static_cast<nlattr*>(append(MNL_ATTR_HDRLEN));
  attribute->nla_type = static_cast<uint16_t>(type | NLA_F_NESTED);
  return token;
}

bool MessageBuffer::end(size_t token) {
  const size_t length = bytes_.size() - token;
  if (length > UINT16_MAX) return fitted_ = false;
  reinterpret_cast<nlattr*>(bytes_.data() + token)->nla_len = static_cast<uint16_t>(length);
  return true;
}

void MessageBuffer::add_flags(size_t message_offset, uint16_t flags) noexcept {
  reinterpret_cast<nlmsghdr*>(bytes_.data() + message_offset)->nlmsg_flags |= flags;
}

void MessageBuffer::clear() noexcept {
  bytes_.clear();
  message_ = 0;
  fitted_ = true;
}

Error bad_message(std::string why) {
  return Error{.code = EBADMSG, .syscall = "recvmsg", .step = {}, .extack = {}, .attribute = {}, .note = std::move(why)};
}

Result<MessageView> take_message(std::span<const uint8_t>& datagram) {
  nlmsghdr header;
  if (datagram.size() < sizeof header) return bad_message("a message cut off inside its header");
  std::memcpy(&header, datagram.data(), sizeof header);
  if (header.nlmsg_len < sizeof header) return bad_message("a message shorter than its header");
  if (header.nlmsg_len > datagram.size()) return bad_message("a message longer than what was received");
  const MessageView view{header, datagram.subspan(sizeof header, header.nlmsg_len - sizeof header)};
  datagram = datagram.subspan(std::min<size_t>(MNL_ALIGN(header.nlmsg_len), datagram.size()));
  return view;
}

std::optional<AttributeView> take_attribute(std::span<const uint8_t>& attributes) {
  if (attributes.size() < MNL_ATTR_HDRLEN) return std::nullopt;
  nlattr header;
  std::memcpy(&header, attributes.data(), sizeof header);
  if (header.nla_len < MNL_ATTR_HDRLEN || header.nla_len > attributes.size()) return std::nullopt;
  const auto type = static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK);
  const auto flags = static_cast<uint16_t>(header.nla_type & ~NLA_TYPE_MASK);
  const AttributeView view{type, attributes.subspan(MNL_ATTR_HDRLEN, header.nla_len - MNL_ATTR_HDRLEN), flags};
  // The last attribute may come without its padding.
  attributes = attributes.subspan(std::min<size_t>(MNL_ALIGN(header.nla_len), attributes.size()));
  return view;
}

std::string text_of(std::span<const uint8_t> payload) {
  const auto* start = reinterpret_cast<const char*>(payload.data());
  return {start, strnlen(start, payload.size())};
}

}  // namespace netlink_ct
