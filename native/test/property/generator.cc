#include "test/property/generator.h"

#include <arpa/inet.h>
#include <linux/netlink.h>

#include <algorithm>
#include <array>

namespace netlink_ct::test {
namespace {

// Schemas may hold themselves (an action of an action): below this, nests are empty. decode() goes down to 16.
constexpr int deepest = 6;

bool selects(const Schema& schema, const Attribute& attribute) {
  return std::ranges::any_of(schema.attributes, [&](const Attribute& other) {
    return other.shape == Shape::chosen && other.selector == attribute.name;
  });
}

}  // namespace

Bytes Generator::bytes(size_t least, size_t most) {
  Bytes all(number(least, most));
  for (uint8_t& byte : all) byte = static_cast<uint8_t>(number(0, 255));
  return all;
}

// The ends of the range as often as what lies between them.
int64_t Generator::integer(int bits, bool is_signed) {
  const int64_t low = is_signed ? -(int64_t{1} << (bits - 1)) : 0;
  const int64_t high = is_signed ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
  const std::array edges{low, high, int64_t{0}, int64_t{1}, high - 1};
  if (one_in(2)) return edges[number(0, edges.size() - 1)];
  return std::uniform_int_distribution<int64_t>(low, high)(engine_);
}

uint64_t Generator::wide() {
  if (one_in(2)) return one_in(2) ? UINT64_MAX : uint64_t{0};
  return std::uniform_int_distribution<uint64_t>()(engine_);
}

Value Generator::text(const Schema& owner, const Attribute& attribute) {
  if (selects(owner, attribute) && !one_in(8)) {
    std::vector<std::string_view> words;
    for (const Attribute& other : owner.attributes) {
      if (other.shape != Shape::chosen || other.selector != attribute.name) continue;
      for (const Choice& choice : other.choices) words.push_back(choice.value);
    }
    if (!words.empty()) return std::string(words[number(0, words.size() - 1)]);
  }
  Bytes raw = bytes(0, 20);
  std::erase(raw, 0);
  return std::string(raw.begin(), raw.end());
}

Value Generator::address() {
  const Bytes raw = one_in(2) ? bytes(4, 4) : bytes(16, 16);
  std::array<char, INET6_ADDRSTRLEN> written{};
  inet_ntop(raw.size() == 4 ? AF_INET : AF_INET6, raw.data(), written.data(), written.size());
  return std::string(written.data());
}

Value Generator::header_field(const HeaderField& field) {
  if (field.size > 8) return bytes(field.size, field.size);
  return field.size == 8 ? Value(wide()) : Value(integer(field.size * 8, field.is_signed));
}

Object Generator::fields(const Schema& schema) {
  Object object;
  for (const HeaderField& field : schema.header) {
    // A link of AF_BRIDGE has another schema, which is among all.
    if (schema.of_bridges != nullptr && field.offset == 0) {
      object.emplace_back(std::string(field.name), int64_t{0});
      continue;
    }
    object.emplace_back(std::string(field.name), header_field(field));
  }
  return object;
}

Object Generator::structure(const Schema& schema) {
  Object object = fields(schema);
  if (one_in(4)) object.emplace_back("rest", bytes(1, 9));
  return object;
}

Object Generator::nested(const Schema& schema) {
  ++depth_;
  Object object = fields(schema);
  if (depth_ < deepest) put_attributes(object, schema);
  --depth_;
  return object;
}

List Generator::objects(const Schema& schema, Object (Generator::*make)(const Schema&)) {
  List list;
  const size_t length = number(0, 3);
  for (size_t at = 0; at < length; ++at) list.emplace_back((this->*make)(schema));
  return list;
}

Value Generator::value(const Schema& owner, const Attribute& attribute, const Object& object) {
  switch (attribute.shape) {
    case Shape::flag: return true;
    case Shape::u8: return integer(8, false);
    case Shape::u16:
    case Shape::be16: return integer(16, false);
    case Shape::u32:
    case Shape::be32: return integer(32, false);
    case Shape::s32:
    case Shape::sbe32: return integer(32, true);
    case Shape::u64:
    case Shape::be64: return wide();
    case Shape::text:
    case Shape::chars: return text(owner, attribute);
    case Shape::bytes: return bytes(0, 24);
    case Shape::ip:
    case Shape::via: return address();
    case Shape::mac: {
      std::string written;
      for (const uint8_t byte : bytes(1, 32)) {
        std::array<char, 4> pair{};
        std::snprintf(pair.data(), pair.size(), written.empty() ? "%02x" : ":%02x", byte);
        written += pair.data();
      }
      return written;
    }
    case Shape::nest:
    case Shape::message: return nested(*attribute.schema);
    case Shape::list:
    case Shape::records: return objects(*attribute.schema, &Generator::nested);
    case Shape::texts: {
      List list;
      const size_t length = number(0, 3);
      for (size_t at = 0; at < length; ++at) list.push_back(text(owner, attribute));
      return list;
    }
    case Shape::numbers: return {};
    case Shape::structure: return structure(*attribute.schema);
    case Shape::structures: return objects(*attribute.schema, &Generator::fields);
    case Shape::chosen: {
      const Value* selector = find(object, attribute.selector);
      const auto* word = selector == nullptr ? nullptr : selector->get<std::string>();
      const auto choice = word == nullptr ? attribute.choices.end()
                                          : std::ranges::find(attribute.choices, std::string_view(*word), &Choice::value);
      if (choice == attribute.choices.end()) return bytes(0, 24);
      return nested(*choice->schema);
    }
  }
  return {};
}

void Generator::put(Object& object, const Schema& schema, const Attribute& attribute) {
  if (attribute.shape == Shape::numbers) return;
  if (!attribute.repeated) {
    object.emplace_back(std::string(attribute.name), value(schema, attribute, object));
    return;
  }
  List several;
  const size_t length = number(1, 3);
  for (size_t at = 0; at < length; ++at) several.push_back(value(schema, attribute, object));
  object.emplace_back(std::string(attribute.name), std::move(several));
}

// Attributes that the schema has no place for.
Value Generator::unknown(const Schema& schema) {
  List other;
  const size_t length = number(1, 2);
  for (size_t at = 0; at < length; ++at) {
    const auto type = static_cast<uint16_t>(number(0, UINT16_MAX));
    const auto known = [&](const Attribute& attribute) { return attribute.number == (type & NLA_TYPE_MASK); };
    if (std::ranges::any_of(schema.attributes, known)) continue;
    other.emplace_back(Object{{"type", int64_t{type}}, {"data", bytes(0, 12)}});
  }
  return other;
}

void Generator::put_attributes(Object& object, const Schema& schema) {
  std::vector<const Attribute*> picked;
  const size_t rarity = number(1, 8);
  for (const Attribute& attribute : schema.attributes) {
    if (one_in(rarity)) picked.push_back(&attribute);
  }
  std::ranges::shuffle(picked, engine_);
  // The kernel sends a selector before what it selects, and so must whoever wants it read back.
  std::ranges::stable_partition(picked, [&](const Attribute* attribute) { return selects(schema, *attribute); });
  for (const Attribute* attribute : picked) put(object, schema, *attribute);
  if (!one_in(8)) return;
  Value other = unknown(schema);
  if (!other.get<List>()->empty()) object.emplace_back("other", std::move(other));
}

Object Generator::object(const Schema& schema) { return nested(schema); }

Object Generator::object_with(const Schema& schema, const Attribute& attribute) {
  Object object = fields(schema);
  if (attribute.shape == Shape::chosen) {
    const auto selector = std::ranges::find(schema.attributes, attribute.selector, &Attribute::name);
    if (selector != schema.attributes.end()) put(object, schema, *selector);
  }
  put(object, schema, attribute);
  return object;
}

}  // namespace netlink_ct::test
