#include <arpa/inet.h>
#include <endian.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "core/netlink/codec.h"

namespace netlink_ct {
namespace {

Error bad_field(std::string_view name, std::string_view why) {
  return Error{
      .code = EINVAL, .syscall = "encode", .step = {}, .extack = {}, .attribute = std::string(name), .note = std::string(why)};
}

// An integer field, whichever JavaScript type it came in.
bool integer(const Value& value, int64_t& out) {
  if (const auto* number = value.get<int64_t>()) return out = *number, true;
  if (const auto* truth = value.get<bool>()) return out = *truth ? 1 : 0, true;
  if (const auto* big = value.get<uint64_t>()) return out = static_cast<int64_t>(*big), *big <= INT64_MAX;
  return false;
}

bool unsigned64(const Value& value, uint64_t& out) {
  if (const auto* big = value.get<uint64_t>()) return out = *big, true;
  int64_t number = 0;
  return integer(value, number) && number >= 0 && (out = static_cast<uint64_t>(number), true);
}

bool parse_mac(std::string_view text, Bytes& out) {
  while (!text.empty()) {
    uint8_t byte = 0;
    const size_t length = std::min(text.find(':'), text.size());
    if (length == 0 || length > 2) return false;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + length, byte, 16);
    if (failure != std::errc() || end != text.data() + length) return false;
    out.push_back(byte);
    text.remove_prefix(length);
    if (text == ":") return false;
    if (!text.empty()) text.remove_prefix(1);
  }
  return !out.empty();
}

bool parse_ip(const std::string& text, Bytes& out) {
  const bool six = text.find(':') != std::string::npos;
  out.resize(six ? 16 : 4);
  return inet_pton(six ? AF_INET6 : AF_INET, text.c_str(), out.data()) == 1;
}

const Attribute* by_name(const Schema& schema, std::string_view name) {
  const auto found = std::ranges::find(schema.attributes, name, &Attribute::name);
  return found == schema.attributes.end() ? nullptr : &*found;
}

const HeaderField* header_field(const Schema& schema, std::string_view name) {
  const auto found = std::ranges::find(schema.header, name, &HeaderField::name);
  return found == schema.header.end() ? nullptr : &*found;
}

const Schema* chosen_schema(const Attribute& attribute, const Object& object) {
  const Value* selector = find(object, attribute.selector);
  const auto* text = selector == nullptr ? nullptr : selector->get<std::string>();
  if (text == nullptr) return nullptr;
  const auto found = std::ranges::find(attribute.choices, std::string_view(*text), &Choice::value);
  return found == attribute.choices.end() ? nullptr : found->schema;
}

bool put_raw(MessageBuffer& message, uint16_t type, const Bytes& bytes) {
  return message.put(type, std::span<const uint8_t>(bytes));
}

template <typename T>
Result<void> put_number(MessageBuffer& message, const Attribute& attribute, const Value& value, bool big_endian = false) {
  int64_t number = 0;
  if (!integer(value, number)) return bad_field(attribute.name, "not an integer");
  if (number < int64_t{std::numeric_limits<T>::min()} || number > int64_t{std::numeric_limits<T>::max()}) {
    return bad_field(attribute.name, "out of the attribute's range");
  }
  auto fixed = static_cast<T>(number);
  if (big_endian) {
    if constexpr (sizeof(T) == 2) fixed = static_cast<T>(htobe16(static_cast<uint16_t>(fixed)));
    if constexpr (sizeof(T) == 4) fixed = static_cast<T>(htobe32(static_cast<uint32_t>(fixed)));
  }
  message.put(attribute.number, fixed);
  return {};
}

Result<void> encode_fields(MessageBuffer& message, const Schema& schema, const Object& object);
Result<void> put_header_field(uint8_t* header, const HeaderField& field, const Value& value);

// The header of a schema from the object's fields; those that are absent are zero.
Result<Bytes> structure_bytes(const Schema& schema, const Object& object) {
  Bytes bytes(schema.header_size);
  for (const auto& [name, value] : object) {
    if (value.get<std::monostate>() != nullptr) continue;
    if (name == "rest") {
      const auto* rest = value.get<Bytes>();
      if (rest == nullptr) return bad_field(name, "not bytes");
      bytes.insert(bytes.end(), rest->begin(), rest->end());
      continue;
    }
    const HeaderField* field = header_field(schema, name);
    if (field == nullptr) return bad_field(name, "no such field");
    if (auto done = put_header_field(bytes.data(), *field, value); !done) return done.error();
  }
  return bytes;
}

Result<void> put_structure(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* object = value.get<Object>();
  if (object == nullptr) return bad_field(attribute.name, "not an object");
  auto bytes = structure_bytes(*attribute.schema, *object);
  if (!bytes) return bytes.error();
  put_raw(message, attribute.number, bytes.value());
  return {};
}

Result<void> put_structures(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* list = value.get<List>();
  if (list == nullptr) return bad_field(attribute.name, "not a list");
  Bytes all;
  for (const Value& item : *list) {
    const auto* object = item.get<Object>();
    if (object == nullptr) return bad_field(attribute.name, "its items are objects");
    auto bytes = structure_bytes(*attribute.schema, *object);
    if (!bytes) return bytes.error();
    all.insert(all.end(), bytes.value().begin(), bytes.value().end());
  }
  put_raw(message, attribute.number, all);
  return {};
}

// Each record is built as a message of its own and copied behind its length.
Result<void> put_records(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* list = value.get<List>();
  if (list == nullptr) return bad_field(attribute.name, "not a list");
  Bytes all;
  for (const Value& item : *list) {
    const auto* object = item.get<Object>();
    if (object == nullptr) return bad_field(attribute.name, "its items are objects");
    MessageBuffer record;
    record.start(0, 0, 0);
    if (auto done = encode(record, *attribute.schema, *object); !done) return done;
    const auto body = record.bytes().subspan(MNL_NLMSG_HDRLEN);
    if (body.size() > UINT16_MAX) return bad_field(attribute.name, "a record is longer than 65 535 bytes");
    const size_t at = all.size();
    all.insert(all.end(), body.begin(), body.end());
    const auto length = static_cast<uint16_t>(body.size());
    std::memcpy(all.data() + at, &length, sizeof length);
  }
  put_raw(message, attribute.number, all);
  return {};
}

Result<void> put_via(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* text = value.get<std::string>();
  Bytes address;
  if (text == nullptr || !parse_ip(*text, address)) return bad_field(attribute.name, "not an IP address");
  const uint16_t family = address.size() == 16 ? AF_INET6 : AF_INET;
  Bytes raw(sizeof family);
  std::memcpy(raw.data(), &family, sizeof family);
  raw.insert(raw.end(), address.begin(), address.end());
  put_raw(message, attribute.number, raw);
  return {};
}

// The attributes that arrived without a place in the schema, written back as they were.
Result<void> put_other(MessageBuffer& message, const Value& value) {
  const auto* list = value.get<List>();
  if (list == nullptr) return bad_field("other", "not a list");
  for (const Value& item : *list) {
    const auto* entry = item.get<Object>();
    const Value* type = entry == nullptr ? nullptr : find(*entry, "type");
    const Value* data = entry == nullptr ? nullptr : find(*entry, "data");
    int64_t number = 0;
    const auto* bytes = data == nullptr ? nullptr : data->get<Bytes>();
    if (type == nullptr || !integer(*type, number) || number < 0 || number > UINT16_MAX || bytes == nullptr) {
      return bad_field("other", "an entry is { type, data }");
    }
    put_raw(message, static_cast<uint16_t>(number), *bytes);
  }
  return {};
}

Result<void> put_nest(MessageBuffer& message, uint16_t number, const Schema& schema, const Object& object) {
  const size_t token = message.begin(number);
  if (schema.header_size > 0) {
    if (auto done = encode(message, schema, object); !done) return done;
  } else if (auto done = encode_fields(message, schema, object); !done) {
    return done;
  }
  message.end(token);
  return {};
}

Result<void> put_list(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* list = value.get<List>();
  if (list == nullptr) return bad_field(attribute.name, "not a list");
  const size_t token = message.begin(attribute.number);
  uint16_t position = 0;
  for (const Value& item : *list) {
    const auto* object = item.get<Object>();
    if (object == nullptr) return bad_field(attribute.name, "its items are objects");
    ++position;
    auto done = put_nest(message, attribute.element == 0 ? position : attribute.element, *attribute.schema, *object);
    if (!done) return done;
  }
  message.end(token);
  return {};
}

Result<void> put_texts(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* list = value.get<List>();
  if (list == nullptr) return bad_field(attribute.name, "not a list");
  const size_t token = message.begin(attribute.number);
  for (const Value& item : *list) {
    const auto* text = item.get<std::string>();
    if (text == nullptr || text->find('\0') != std::string::npos)
      return bad_field(attribute.name, "its items are strings without NUL");
    message.put(attribute.element, std::string_view(*text));
  }
  message.end(token);
  return {};
}

// Undefined positions are left out: only what is named is changed.
Result<void> put_numbers(MessageBuffer& message, const Attribute& attribute, const Value& value) {
  const auto* list = value.get<List>();
  if (list == nullptr) return bad_field(attribute.name, "not a list");
  const size_t token = message.begin(attribute.number);
  uint16_t position = 0;
  for (const Value& item : *list) {
    ++position;
    if (item.get<std::monostate>() != nullptr) continue;
    int64_t number = 0;
    if (!integer(item, number) || number < 0 || number > UINT32_MAX)
      return bad_field(attribute.name, "its items are unsigned integers");
    message.put(position, static_cast<uint32_t>(number));
  }
  message.end(token);
  return {};
}

Result<void> put_attribute(MessageBuffer& message, const Attribute& attribute, const Value& value, const Object& owner) {
  const auto* text = value.get<std::string>();
  const auto* object = value.get<Object>();
  switch (attribute.shape) {
    case Shape::flag: {
      const auto* on = value.get<bool>();
      if (on == nullptr) return bad_field(attribute.name, "not a boolean");
      if (*on) message.put_flag(attribute.number);
      return {};
    }
    case Shape::u8: return put_number<uint8_t>(message, attribute, value);
    case Shape::u16: return put_number<uint16_t>(message, attribute, value);
    case Shape::u32: return put_number<uint32_t>(message, attribute, value);
    case Shape::s32: return put_number<int32_t>(message, attribute, value);
    case Shape::be16: return put_number<uint16_t>(message, attribute, value, true);
    case Shape::be32: return put_number<uint32_t>(message, attribute, value, true);
    case Shape::sbe32: return put_number<int32_t>(message, attribute, value, true);
    case Shape::u64:
    case Shape::be64: {
      uint64_t number = 0;
      if (!unsigned64(value, number)) return bad_field(attribute.name, "not an unsigned integer");
      message.put(attribute.number, attribute.shape == Shape::be64 ? htobe64(number) : number);
      return {};
    }
    case Shape::text:
      if (text == nullptr || text->find('\0') != std::string::npos) return bad_field(attribute.name, "not a string without NUL");
      message.put(attribute.number, std::string_view(*text));
      return {};
    case Shape::chars:
      if (text == nullptr || text->find('\0') != std::string::npos) return bad_field(attribute.name, "not a string without NUL");
      put_raw(message, attribute.number, Bytes(text->begin(), text->end()));
      return {};
    case Shape::bytes: {
      const auto* raw = value.get<Bytes>();
      if (raw == nullptr) return bad_field(attribute.name, "not bytes");
      put_raw(message, attribute.number, *raw);
      return {};
    }
    case Shape::ip:
    case Shape::mac: {
      Bytes raw;
      const bool parsed = text != nullptr && (attribute.shape == Shape::ip ? parse_ip(*text, raw) : parse_mac(*text, raw));
      if (!parsed)
        return bad_field(attribute.name, attribute.shape == Shape::ip ? "not an IP address" : "not a link-layer address");
      put_raw(message, attribute.number, raw);
      return {};
    }
    case Shape::nest:
    case Shape::message:
      if (object == nullptr) return bad_field(attribute.name, "not an object");
      return put_nest(message, attribute.number, *attribute.schema, *object);
    case Shape::list: return put_list(message, attribute, value);
    case Shape::texts: return put_texts(message, attribute, value);
    case Shape::numbers: return put_numbers(message, attribute, value);
    case Shape::structure: return put_structure(message, attribute, value);
    case Shape::structures: return put_structures(message, attribute, value);
    case Shape::records: return put_records(message, attribute, value);
    case Shape::via: return put_via(message, attribute, value);
    case Shape::chosen: {
      if (const auto* raw = value.get<Bytes>()) return put_raw(message, attribute.number, *raw), Result<void>();
      const Schema* schema = chosen_schema(attribute, owner);
      if (object == nullptr || schema == nullptr) return bad_field(attribute.name, "no schema for this kind: give bytes");
      return put_nest(message, attribute.number, *schema, *object);
    }
  }
  return bad_field(attribute.name, "unknown shape");
}

Result<void> encode_fields(MessageBuffer& message, const Schema& schema, const Object& object) {
  for (const auto& [name, value] : object) {
    if (value.get<std::monostate>() != nullptr || header_field(schema, name) != nullptr) continue;
    if (name == "other") {
      if (auto done = put_other(message, value); !done) return done;
      continue;
    }
    const Attribute* attribute = by_name(schema, name);
    if (attribute == nullptr) return bad_field(name, "no such field");
    const auto* several = attribute->repeated ? value.get<List>() : nullptr;
    if (attribute->repeated && several == nullptr) return bad_field(name, "not a list");
    for (const Value& one : several == nullptr ? std::span(&value, 1) : std::span(*several)) {
      if (auto done = put_attribute(message, *attribute, one, object); !done) {
        if (done.error().attribute != name) done.error().attribute = name + "." + done.error().attribute;
        return done;
      }
    }
  }
  if (!message.fitted()) return bad_field("", "an attribute is longer than 65 531 bytes");
  return {};
}

Result<void> put_header_field(uint8_t* header, const HeaderField& field, const Value& value) {
  if (!is_number(field)) {
    const auto* raw = value.get<Bytes>();
    if (raw == nullptr || raw->size() > field.size) return bad_field(field.name, "not bytes, or too many");
    std::ranges::copy(*raw, header + field.offset);
    return {};
  }
  if (field.size == 8) {
    uint64_t wide = 0;
    if (!unsigned64(value, wide)) return bad_field(field.name, "not an unsigned integer");
    std::memcpy(header + field.offset, &wide, sizeof wide);
    return {};
  }
  int64_t number = 0;
  if (!integer(value, number)) return bad_field(field.name, "not an integer");
  const int bits = field.size * 8;
  const int64_t low = field.is_signed ? -(int64_t{1} << (bits - 1)) : 0;
  const int64_t high = field.is_signed ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
  if (number < low || number > high) return bad_field(field.name, "out of the header field's range");
  auto raw = static_cast<uint32_t>(number);
  if (field.big_endian) raw = field.size == 2 ? htobe16(static_cast<uint16_t>(raw)) : htobe32(raw);
  std::memcpy(header + field.offset, &raw, field.size);  // little-endian hosts only: see the check below
  return {};
}

static_assert(std::endian::native == std::endian::little, "header fields are copied from the low end of an integer");

}  // namespace

Result<void> encode(MessageBuffer& message, const Schema& schema, const Object& object) {
  if (schema.header_size > 0) {
    auto* header = static_cast<uint8_t*>(message.append(schema.header_size));
    for (const auto& [name, value] : object) {
      const HeaderField* field = header_field(schema, name);
      if (field == nullptr || value.get<std::monostate>() != nullptr) continue;
      if (auto done = put_header_field(header, *field, value); !done) return done;
    }
    return encode_fields(message, in_family(schema, header[0]), object);
  }
  return encode_fields(message, schema, object);
}

}  // namespace netlink_ct
