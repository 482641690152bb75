// Values as one run of bytes: what is decoded is packed as it is read, and how values cross to JavaScript and back. A call into
// the engine for each field costs more than the kernel does for the message, and a tree of them in memory nearly as much.
// lib/packed.ts is the other side, and says the same of the form.
//
//   0 undefined · 1 false · 2 true · 3 number (int32) · 4 number (double) · 5 bigint (uint64)
//   6 string (length, UTF-8) · 7 bytes (length, bytes) · 8 list (count, values) · 9 object (count, then name and value)
//
// Lengths and counts are uint32, everything is little-endian. A name is its position in field_names(), a uint16, or 65535 and
// then a length and its UTF-8.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "core/netlink/value.h"

namespace netlink_ct {

// A name as it is packed.
struct FieldName {
  static constexpr uint16_t spelled_out = 0xffff;

  std::string_view text;
  uint16_t position = spelled_out;  // in field_names(); spelled out where it is none of them
};

// The names of all schemas, the same for the life of the process.
std::span<const std::string_view> field_names();
FieldName field_name(std::string_view text);

class Packer {
 public:
  void add(const Value& value);
  void add(const Object& object);

  void add_truth(bool value);
  void add_integer(int64_t value);
  void add_bigint(uint64_t value);
  void add_text(std::string_view value);
  void add_bytes(std::span<const uint8_t> value);
  // A value that is packed already.
  void add_packed(std::span<const uint8_t> value);

  // The values that follow are its items.
  void begin_list(size_t count);
  // What follows is its items, or its members, each a name and a value, until end() says how many they were.
  [[nodiscard]] size_t begin_list();
  [[nodiscard]] size_t begin_object();
  void end(size_t token, size_t count);
  Packer& add_name(const FieldName& name);
  Packer& add_name(std::string_view name) { return add_name(field_name(name)); }

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<const uint8_t> bytes() const noexcept { return {bytes_.data(), size_}; }
  // Of the bytes, which it has no more.
  [[nodiscard]] Bytes release();

 private:
  uint8_t* room(size_t size) {
    if (bytes_.size() - size_ < size) bytes_.resize(2 * (size_ + size));
    size_ += size;
    return bytes_.data() + size_ - size;
  }
  template <typename T>
  void raw(T value) {
    std::memcpy(room(sizeof value), &value, sizeof value);
  }
  template <typename T>
  void tagged(uint8_t tag, T value) {
    uint8_t* start = room(1 + sizeof value);
    *start = tag;
    std::memcpy(start + 1, &value, sizeof value);
  }
  void sized(uint8_t tag, const void* data, size_t size);

  Bytes bytes_;  // of which the first `size_` are used
  size_t size_ = 0;
};

// Objects in packed form, one behind the other.
class PackedObjects {
 public:
  PackedObjects() = default;
  PackedObjects(Bytes bytes, std::vector<size_t> ends) : bytes_(std::move(bytes)), ends_(std::move(ends)) {}

  [[nodiscard]] size_t size() const noexcept { return ends_.size(); }
  // Those from `first` up to, without, `last`.
  [[nodiscard]] std::span<const uint8_t> between(size_t first, size_t last) const {
    const size_t start = first == 0 ? 0 : ends_[first - 1];
    return std::span(bytes_).subspan(start, (last == 0 ? 0 : ends_[last - 1]) - start);
  }
  [[nodiscard]] Object object(size_t at) const;

 private:
  Bytes bytes_;
  std::vector<size_t> ends_;
};

// What a run of bytes holds; nothing when it is none.
std::optional<Value> unpack(std::span<const uint8_t> bytes);
// The object that was packed on this side.
Object object_of(std::span<const uint8_t> packed);

}  // namespace netlink_ct
