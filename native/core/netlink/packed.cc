#include "core/netlink/packed.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/conntrack/schema.h"
#include "core/nftables/messages.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

static_assert(std::endian::native == std::endian::little, "lib/packed.ts reads and writes little-endian");

enum Tag : uint8_t { undefined, no, yes, int32, real, bigint, text, raw_bytes, list, object };

// Values inside of values: what a message may have, and far from the end of the stack.
constexpr int deepest = 64;
constexpr double largest_safe = 9007199254740991.0;

class Names {
 public:
  Names() {
    for (const auto types : {rtnetlink_messages(), nftables_messages(), conntrack_messages()}) {
      for (const MessageType& type : types) {
        visit(type.schema);
        visit(type.answer);
      }
    }
  }

  [[nodiscard]] std::span<const std::string_view> all() const { return names_; }

  [[nodiscard]] FieldName find(std::string_view text) const {
    const auto found = positions_.find(text);
    return {text, found == positions_.end() ? FieldName::spelled_out : found->second};
  }

 private:
  void visit(const Schema* schema) {
    if (schema == nullptr || !seen_.insert(schema).second) return;
    for (const HeaderField& field : schema->header) name(field.name);
    for (const Attribute& attribute : schema->attributes) {
      name(attribute.name);
      visit(attribute.schema);
      for (const Choice& choice : attribute.choices) visit(choice.schema);
    }
    visit(schema->of_bridges);
  }

  void name(std::string_view name) {
    if (positions_.try_emplace(name, static_cast<uint16_t>(names_.size())).second) names_.push_back(name);
  }

  std::unordered_set<const Schema*> seen_;
  std::unordered_map<std::string_view, uint16_t> positions_;
  std::vector<std::string_view> names_;
};

const Names& names() {
  static const Names all;
  return all;
}

class Unpacker {
 public:
  explicit Unpacker(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool value(Value& out, int depth = 0);
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  bool take(void* out, size_t size) {
    if (bytes_.size() < size) return false;
    if (size > 0) std::memcpy(out, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return true;
  }
  // Of things that take a byte at least, so that no count makes more room than there are bytes.
  bool count(uint32_t& out) { return take(&out, sizeof out) && out <= bytes_.size(); }
  bool string(std::string& out) {
    uint32_t length = 0;
    if (!count(length)) return false;
    out.resize(length);
    return take(out.data(), length);
  }
  bool name(std::string& out);
  bool items(List& out, int depth);
  bool members(Object& out, int depth);

  std::span<const uint8_t> bytes_;
};

bool Unpacker::name(std::string& out) {
  uint16_t position = 0;
  if (!take(&position, sizeof position)) return false;
  if (position == FieldName::spelled_out) return string(out);
  if (position >= field_names().size()) return false;
  out = field_names()[position];
  return true;
}

bool Unpacker::items(List& out, int depth) {
  uint32_t number = 0;
  if (!count(number)) return false;
  out.resize(number);
  for (Value& item : out) {
    if (!value(item, depth + 1)) return false;
  }
  return true;
}

bool Unpacker::members(Object& out, int depth) {
  uint32_t number = 0;
  if (!count(number)) return false;
  out.resize(number);
  for (auto& [key, item] : out) {
    if (!name(key) || !value(item, depth + 1)) return false;
  }
  return true;
}

bool Unpacker::value(Value& out, int depth) {
  uint8_t tag = 0;
  if (depth > deepest || !take(&tag, sizeof tag)) return false;
  switch (tag) {
    case undefined: out = {}; return true;
    case no: out = false; return true;
    case yes: out = true; return true;
    case int32: {
      int32_t number = 0;
      if (!take(&number, sizeof number)) return false;
      out = int64_t{number};
      return true;
    }
    case real: {
      double number = 0;
      if (!take(&number, sizeof number) || std::trunc(number) != number || std::abs(number) > largest_safe) return false;
      out = static_cast<int64_t>(number);
      return true;
    }
    case bigint: {
      uint64_t number = 0;
      if (!take(&number, sizeof number)) return false;
      out = number;
      return true;
    }
    case text: return string(out.data.emplace<std::string>());
    case raw_bytes: {
      uint32_t length = 0;
      if (!count(length)) return false;
      auto& bytes = out.data.emplace<Bytes>(length);
      return take(bytes.data(), length);
    }
    case list: return items(out.data.emplace<List>(), depth);
    case object: return members(out.data.emplace<Object>(), depth);
    default: return false;
  }
}

}  // namespace

std::span<const std::string_view> field_names() { return names().all(); }

FieldName field_name(std::string_view text) { return names().find(text); }

void Packer::sized(uint8_t tag, const void* data, size_t size) {
  tagged(tag, static_cast<uint32_t>(size));
  if (size > 0) std::memcpy(room(size), data, size);
}

void Packer::add_truth(bool value) { *room(1) = value ? yes : no; }

void Packer::add_integer(int64_t value) {
  if (value >= INT32_MIN && value <= INT32_MAX) {
    tagged(int32, static_cast<int32_t>(value));
  } else {
    tagged(real, static_cast<double>(value));
  }
}

void Packer::add_bigint(uint64_t value) { tagged(bigint, value); }
void Packer::add_text(std::string_view value) { sized(text, value.data(), value.size()); }
void Packer::add_bytes(std::span<const uint8_t> value) { sized(raw_bytes, value.data(), value.size()); }

void Packer::add_packed(std::span<const uint8_t> value) {
  if (!value.empty()) std::memcpy(room(value.size()), value.data(), value.size());
}

void Packer::begin_list(size_t count) { tagged(list, static_cast<uint32_t>(count)); }

size_t Packer::begin_list() {
  begin_list(0);
  return size_;
}

size_t Packer::begin_object() {
  tagged(object, uint32_t{0});
  return size_;
}

void Packer::end(size_t token, size_t count) {
  const auto fixed = static_cast<uint32_t>(count);
  std::memcpy(bytes_.data() + token - sizeof fixed, &fixed, sizeof fixed);
}

Packer& Packer::add_name(const FieldName& name) {
  raw(name.position);
  if (name.position == FieldName::spelled_out) {
    raw(static_cast<uint32_t>(name.text.size()));
    if (!name.text.empty()) std::memcpy(room(name.text.size()), name.text.data(), name.text.size());
  }
  return *this;
}

Bytes Packer::release() {
  bytes_.resize(size_);
  size_ = 0;
  return std::exchange(bytes_, {});
}

void Packer::add(const Object& fields) {
  tagged(object, static_cast<uint32_t>(fields.size()));
  for (const auto& [name, value] : fields) add_name(name).add(value);
}

void Packer::add(const Value& value) {
  struct Visitor {
    Packer& out;
    void operator()(std::monostate) const { *out.room(1) = undefined; }
    void operator()(bool v) const { out.add_truth(v); }
    void operator()(int64_t v) const { out.add_integer(v); }
    void operator()(uint64_t v) const { out.add_bigint(v); }
    void operator()(const std::string& v) const { out.add_text(v); }
    void operator()(const Bytes& v) const { out.add_bytes(v); }
    void operator()(const List& v) const {
      out.begin_list(v.size());
      for (const Value& item : v) out.add(item);
    }
    void operator()(const Object& v) const { out.add(v); }
  };
  std::visit(Visitor{*this}, value.data);
}

std::optional<Value> unpack(std::span<const uint8_t> bytes) {
  Unpacker unpacker(bytes);
  Value value;
  if (!unpacker.value(value) || !unpacker.at_end()) return std::nullopt;
  return value;
}

Object object_of(std::span<const uint8_t> packed) {
  auto value = unpack(packed);
  return std::move(std::get<Object>(value.value().data));
}

Object PackedObjects::object(size_t at) const { return object_of(between(at, at + 1)); }

}  // namespace netlink_ct
