// How values cross to JavaScript and back: all of them in one run of bytes. A call into the engine for each field costs more than
// the kernel does for the message. lib/packed.ts is the other side, and says the same of the form.
//
//   0 undefined · 1 false · 2 true · 3 number (int32) · 4 number (double) · 5 bigint (uint64)
//   6 string (length, UTF-8) · 7 bytes (length, bytes) · 8 list (count, values) · 9 object (count, then name and value)
//
// Lengths and counts are uint32, everything is little-endian. A name is its position in field_names(), a uint16, or 65535 and
// then a length and its UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/netlink/value.h"

namespace netlink_ct::node {

// The names of all schemas, the same for the life of the process.
std::span<const std::string_view> field_names();

class Packer {
 public:
  void add(const Value& value);
  void add(const Object& object);
  // The values that follow are its items.
  void begin_list(size_t count);
  Packer& add_name(std::string_view name);
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  void byte(uint8_t value) { bytes_.push_back(value); }
  void raw(const void* data, size_t size);
  void length(size_t value);

  Bytes bytes_;
};

// What a run of bytes holds; nothing when it is none.
std::optional<Value> unpack(std::span<const uint8_t> bytes);

}  // namespace netlink_ct::node
