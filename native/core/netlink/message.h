// One netlink message being built, over libmnl, in a buffer that grows; and bounds-checked walks over what was received.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace netlink_ct {

// Messages one after another in a single buffer: what one sendmsg(2) carries.
class MessageBuffer {
 public:
  // Starts a message; the one before it ends here.
  void start(uint16_t type, uint16_t flags, uint32_t sequence);

  // Appends the fixed header (ifinfomsg, rtmsg, …) and returns its zeroed bytes; valid until the next call.
  void* header(size_t size);
  template <typename T>
  T& header() {
    return *static_cast<T*>(header(sizeof(T)));
  }

  // False when the payload does not fit the 16 bits of nla_len: nothing is written then, and complete() reports it.
  bool put(uint16_t type, std::span<const uint8_t> payload);
  bool put(uint16_t type, std::string_view text);  // with the NUL
  template <typename T>
    requires std::is_arithmetic_v<T>
  bool put(uint16_t type, T number) {
    uint8_t raw[sizeof(T)];
    std::memcpy(raw, &number, sizeof(T));
    return put(type, std::span<const uint8_t>(raw));
  }
  bool put_flag(uint16_t type) { return put(type, std::span<const uint8_t>()); }

  // A nest: what is put between begin and end is its content. The tokens nest like parentheses.
  [[nodiscard]] size_t begin(uint16_t type);
  bool end(size_t token);
  // Raw content of the open nest: the header of VETH_INFO_PEER.
  void* append(size_t size);

  // Whether every attribute so far fitted.
  [[nodiscard]] bool fitted() const noexcept { return fitted_; }
  [[nodiscard]] std::span<const uint8_t> bytes() const noexcept { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  void add_flags(size_t message_offset, uint16_t flags) noexcept;
  void clear() noexcept;

 private:
  uint8_t* grow(size_t size);

  std::vector<uint8_t> bytes_;
  size_t message_ = 0;  // offset of the current message
  bool fitted_ = true;
};

// One attribute as received; its payload lies inside the buffer it was cut from.
struct AttributeView {
  uint16_t type;  // without the NLA_F_ bits
  std::span<const uint8_t> payload;
  uint16_t flags;  // the NLA_F_ bits
};

// One message as received.
struct MessageView {
  nlmsghdr header;
  std::span<const uint8_t> payload;
};

// What was received cannot be believed: EBADMSG, and `why`.
Error bad_message(std::string why);

// Cuts the first message off a datagram that is not empty; an error when its length lies.
Result<MessageView> take_message(std::span<const uint8_t>& datagram);

// Cuts the first attribute off; nothing when a length lies (shorter than its header, or beyond the end).
std::optional<AttributeView> take_attribute(std::span<const uint8_t>& attributes);

// Calls `each` for every attribute, until it gives false; false then, and when a length lies.
template <typename Each>
bool each_attribute(std::span<const uint8_t> attributes, Each&& each) {
  while (!attributes.empty()) {
    const auto view = take_attribute(attributes);
    if (!view || !each(*view)) return false;
  }
  return true;
}

// The text of a payload, without what follows its NUL; a missing NUL is no harm.
std::string text_of(std::span<const uint8_t> payload);

// Reads an integer of the payload's own size; nothing where the size is not T's.
template <typename T>
bool read(std::span<const uint8_t> payload, T& out) {
  if (payload.size() != sizeof(T)) return false;
  std::memcpy(&out, payload.data(), sizeof(T));
  return true;
}

}  // namespace netlink_ct
