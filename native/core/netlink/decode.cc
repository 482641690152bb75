#include <arpa/inet.h>
#include <endian.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/netlink/codec.h"
#include "core/netlink/layout.h"

namespace netlink_ct {
namespace {

// A bound on recursion: no message of the kernel nests deeper, a hostile one could.
constexpr int deepest = 16;

std::string_view text_in(std::span<const uint8_t> payload) {
  const auto* start = reinterpret_cast<const char*>(payload.data());
  return {start, strnlen(start, payload.size())};
}

class Decoder {
 public:
  Decoder(Packer& out, Unknown unknown, std::span<const std::string> wanted) : out_(out), unknown_(unknown), wanted_(wanted) {}

  // A header, where the schema has one, and attributes. Each of these is false after a failure.
  bool object(const Schema& schema, std::span<const uint8_t> bytes, int depth);
  [[nodiscard]] Error& failure() { return *failure_; }

 private:
  bool fail(std::string_view where) {
    failure_ = Error{.code = EBADMSG,
                     .syscall = "decode",
                     .step = {},
                     .extack = {},
                     .attribute = std::string(where),
                     .note = "a length that does not fit"};
    return false;
  }
  bool expect(bool fits, const Attribute& attribute) { return fits || fail(attribute.kernel); }
  // Of what each_attribute() came to: the callback has failed, or a length lies.
  bool walked(bool whole, std::string_view where) { return whole || (failure_ ? false : fail(where)); }
  [[nodiscard]] bool passes(const Attribute& attribute) const {
    return attribute.on_request && unknown_ == Unknown::drop && std::ranges::find(wanted_, attribute.name) == wanted_.end();
  }

  bool attributes(const Layout& layout, std::span<const uint8_t> bytes, int depth, size_t& count);
  bool attribute(const Layout& layout, const Attribute& attribute, std::span<const uint8_t> payload,
                 std::span<const uint8_t> before, int depth);
  bool repeated(const Layout& layout, const Attribute& attribute, std::span<const uint8_t> bytes, size_t from, int depth);
  void others(std::span<const AttributeView> unknown);
  void header(const uint8_t* bytes, const HeaderField& field);
  void structure(const Schema& schema, std::span<const uint8_t> payload);
  bool structures(const Attribute& attribute, std::span<const uint8_t> payload);
  bool records(const Attribute& attribute, std::span<const uint8_t> payload, int depth);
  bool list(const Attribute& attribute, std::span<const uint8_t> payload, int depth);
  void numbers(std::span<const uint8_t> payload);
  template <typename T>
  bool number(const Attribute& attribute, std::span<const uint8_t> payload, bool big_endian = false);
  void mac(std::span<const uint8_t> payload);
  void ip(std::span<const uint8_t> address);

  Packer& out_;
  Unknown unknown_;
  std::span<const std::string> wanted_;
  std::optional<Error> failure_;
  std::string scratch_;
};

void Decoder::header(const uint8_t* bytes, const HeaderField& field) {
  if (!is_number(field)) return out_.add_bytes({bytes + field.offset, field.size});
  if (field.size == 8) {
    uint64_t wide = 0;
    std::memcpy(&wide, bytes + field.offset, sizeof wide);
    return out_.add_bigint(wide);
  }
  uint32_t raw = 0;
  std::memcpy(&raw, bytes + field.offset, field.size);
  if (field.big_endian) raw = field.size == 2 ? be16toh(static_cast<uint16_t>(raw)) : be32toh(raw);
  if (!field.is_signed) return out_.add_integer(raw);
  const int unused = 32 - field.size * 8;
  out_.add_integer(static_cast<int32_t>(raw << unused) >> unused);
}

void Decoder::mac(std::span<const uint8_t> payload) {
  static constexpr std::string_view digits = "0123456789abcdef";
  scratch_.clear();
  for (const uint8_t byte : payload) {
    if (!scratch_.empty()) scratch_ += ':';
    scratch_ += digits[byte >> 4];
    scratch_ += digits[byte & 15];
  }
  out_.add_text(scratch_);
}

// Of 4 or 16 bytes. IPv4 by hand: inet_ntop(3) takes the way through printf, once for each route of a table.
void Decoder::ip(std::span<const uint8_t> address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  char* end = text.data();
  if (address.size() == 4) {
    for (const uint8_t byte : address) {
      if (end != text.data()) *end++ = '.';
      end = std::to_chars(end, text.data() + text.size(), byte).ptr;
    }
  } else {
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
    end += strnlen(text.data(), text.size());
  }
  out_.add_text({text.data(), end});
}

template <typename T>
bool Decoder::number(const Attribute& attribute, std::span<const uint8_t> payload, bool big_endian) {
  T number{};
  if (!read(payload, number)) return fail(attribute.kernel);
  if (big_endian) {
    if constexpr (sizeof(T) == 2) number = static_cast<T>(be16toh(static_cast<uint16_t>(number)));
    if constexpr (sizeof(T) == 4) number = static_cast<T>(be32toh(static_cast<uint32_t>(number)));
    if constexpr (sizeof(T) == 8) number = static_cast<T>(be64toh(static_cast<uint64_t>(number)));
  }
  if constexpr (sizeof(T) == 8) {
    out_.add_bigint(number);
  } else {
    out_.add_integer(number);
  }
  return true;
}

bool Decoder::list(const Attribute& attribute, std::span<const uint8_t> payload, int depth) {
  const size_t token = out_.begin_list();
  size_t count = 0;
  const bool whole =
      each_attribute(payload, [&](AttributeView item) { return ++count, object(*attribute.schema, item.payload, depth); });
  out_.end(token, count);
  return walked(whole, attribute.name);
}

// Shorter than the schema's where the kernel is older: fields beyond its end are left out.
void Decoder::structure(const Schema& schema, std::span<const uint8_t> payload) {
  const Layout& layout = layout_of(schema);
  const size_t token = out_.begin_object();
  size_t count = 0;
  for (size_t at = 0; at < schema.header.size(); ++at) {
    const HeaderField& field = schema.header[at];
    if (size_t{field.offset} + field.size > payload.size()) continue;
    out_.add_name(layout.header[at]);
    header(payload.data(), field);
    ++count;
  }
  if (payload.size() > schema.header_size) {
    out_.add_name("rest").add_bytes(payload.subspan(schema.header_size));
    ++count;
  }
  out_.end(token, count);
}

bool Decoder::structures(const Attribute& attribute, std::span<const uint8_t> payload) {
  const size_t size = attribute.schema->header_size;
  if (payload.size() % size != 0) return fail(attribute.kernel);
  out_.begin_list(payload.size() / size);
  for (; !payload.empty(); payload = payload.subspan(size)) structure(*attribute.schema, payload.first(size));
  return true;
}

bool Decoder::records(const Attribute& attribute, std::span<const uint8_t> payload, int depth) {
  const size_t token = out_.begin_list();
  size_t count = 0;
  while (!payload.empty()) {
    uint16_t length = 0;
    if (payload.size() < sizeof length) return fail(attribute.kernel);
    std::memcpy(&length, payload.data(), sizeof length);
    if (length < attribute.schema->header_size || length > payload.size()) return fail(attribute.kernel);
    if (!object(*attribute.schema, payload.first(length), depth)) return false;
    payload = payload.subspan(std::min<size_t>(MNL_ALIGN(length), payload.size()));
    ++count;
  }
  out_.end(token, count);
  return true;
}

void Decoder::numbers(std::span<const uint8_t> payload) {
  out_.begin_list(payload.size() / sizeof(uint32_t));
  for (; payload.size() >= sizeof(uint32_t); payload = payload.subspan(sizeof(uint32_t))) {
    uint32_t number = 0;
    std::memcpy(&number, payload.data(), sizeof number);
    out_.add_integer(number);
  }
}

// By the selector among the attributes that stand before it.
const Schema* chosen_schema(const Layout& layout, const Attribute& attribute, std::span<const uint8_t> before) {
  const Schema* chosen = nullptr;
  each_attribute(before, [&](AttributeView view) {
    const auto* known = layout.by_number(view.type);
    if (known == nullptr || known->attribute->name != attribute.selector) return true;
    const auto found = std::ranges::find(attribute.choices, text_in(view.payload), &Choice::value);
    if (found != attribute.choices.end()) chosen = found->schema;
    return false;
  });
  return chosen;
}

bool Decoder::attribute(const Layout& layout, const Attribute& attribute, std::span<const uint8_t> payload,
                        std::span<const uint8_t> before, int depth) {
  switch (attribute.shape) {
    case Shape::flag: return out_.add_truth(true), true;
    case Shape::u8: return number<uint8_t>(attribute, payload);
    case Shape::u16: return number<uint16_t>(attribute, payload);
    case Shape::u32: return number<uint32_t>(attribute, payload);
    case Shape::s32: return number<int32_t>(attribute, payload);
    case Shape::u64: return number<uint64_t>(attribute, payload);
    case Shape::be16: return number<uint16_t>(attribute, payload, true);
    case Shape::be32: return number<uint32_t>(attribute, payload, true);
    case Shape::sbe32: return number<int32_t>(attribute, payload, true);
    case Shape::be64: return number<uint64_t>(attribute, payload, true);
    case Shape::text:
    case Shape::chars: return out_.add_text(text_in(payload)), true;
    case Shape::bytes: return out_.add_bytes(payload), true;
    case Shape::ip: return expect(payload.size() == 4 || payload.size() == 16, attribute) && (ip(payload), true);
    case Shape::mac: return mac(payload), true;
    case Shape::nest:
    case Shape::message: return object(*attribute.schema, payload, depth);
    case Shape::list: return list(attribute, payload, depth);
    case Shape::texts: {
      const size_t token = out_.begin_list();
      size_t count = 0;
      const bool whole =
          each_attribute(payload, [&](AttributeView item) { return ++count, out_.add_text(text_in(item.payload)), true; });
      out_.end(token, count);
      return expect(whole, attribute);
    }
    case Shape::numbers: return numbers(payload), true;
    case Shape::structure: return structure(*attribute.schema, payload), true;
    case Shape::structures: return structures(attribute, payload);
    case Shape::records: return records(attribute, payload, depth);
    // Only families whose addresses this library writes; others are bytes for nobody.
    case Shape::via: return expect(payload.size() == 6 || payload.size() == 18, attribute) && (ip(payload.subspan(2)), true);
    case Shape::chosen: {
      const Schema* schema = chosen_schema(layout, attribute, before);
      return schema == nullptr ? (out_.add_bytes(payload), true) : object(*schema, payload, depth);
    }
  }
  return fail(attribute.kernel);
}

// All that have its number, the first of which stands at `from`, as one list.
bool Decoder::repeated(const Layout& layout, const Attribute& attribute, std::span<const uint8_t> bytes, size_t from, int depth) {
  const size_t token = out_.begin_list();
  size_t count = 0;
  const bool whole = each_attribute(bytes.subspan(from), [&](AttributeView view) {
    if (view.type != attribute.number) return true;
    return ++count, this->attribute(layout, attribute, view.payload, bytes.first(from), depth);
  });
  out_.end(token, count);
  return walked(whole, "attributes");
}

void Decoder::others(std::span<const AttributeView> unknown) {
  out_.add_name("other").begin_list(unknown.size());
  for (const AttributeView& view : unknown) {
    const size_t token = out_.begin_object();
    out_.add_name("type").add_integer(view.type | view.flags);
    out_.add_name("data").add_bytes(view.payload);
    out_.end(token, 2);
  }
}

bool Decoder::attributes(const Layout& layout, std::span<const uint8_t> bytes, int depth, size_t& count) {
  if (depth >= deepest) return fail("nested too deeply");
  std::vector<uint16_t> listed;
  std::vector<AttributeView> unknown;
  const bool whole = each_attribute(bytes, [&](AttributeView view) {
    const auto* known = layout.by_number(view.type);
    if (known == nullptr) {
      if (unknown_ == Unknown::keep) unknown.push_back(view);
      return true;
    }
    if (passes(*known->attribute)) return true;
    const auto from = static_cast<size_t>(view.payload.data() - bytes.data()) - MNL_ATTR_HDRLEN;
    if (known->attribute->repeated) {
      if (std::ranges::find(listed, view.type) != listed.end()) return true;
      listed.push_back(view.type);
    }
    out_.add_name(known->name);
    ++count;
    return known->attribute->repeated ? repeated(layout, *known->attribute, bytes, from, depth + 1)
                                      : attribute(layout, *known->attribute, view.payload, bytes.first(from), depth + 1);
  });
  if (!walked(whole, "attributes")) return false;
  if (unknown.empty()) return true;
  others(unknown);
  ++count;
  return true;
}

bool Decoder::object(const Schema& schema, std::span<const uint8_t> bytes, int depth) {
  if (bytes.size() < schema.header_size) return fail("header");
  if (schema.of_bridges != nullptr && &in_family(schema, bytes[0]) != &schema) return object(*schema.of_bridges, bytes, depth);
  const Layout& layout = layout_of(schema);
  const size_t token = out_.begin_object();
  size_t count = schema.header.size();
  for (size_t at = 0; at < schema.header.size(); ++at) {
    out_.add_name(layout.header[at]);
    header(bytes.data(), schema.header[at]);
  }
  const size_t start = MNL_ALIGN(schema.header_size);
  if (bytes.size() > start && !attributes(layout, bytes.subspan(start), depth, count)) return false;
  out_.end(token, count);
  return true;
}

}  // namespace

Result<void> decode(Packer& out, const Schema& schema, std::span<const uint8_t> bytes, Unknown unknown,
                    std::span<const std::string> wanted) {
  Decoder decoder(out, unknown, wanted);
  if (!decoder.object(schema, bytes, 0)) return std::move(decoder.failure());
  return {};
}

Result<Object> decode(const Schema& schema, std::span<const uint8_t> bytes, Unknown unknown,
                      std::span<const std::string> wanted) {
  Packer packer;
  if (auto done = decode(packer, schema, bytes, unknown, wanted); !done) return std::move(done.error());
  return object_of(packer.bytes());
}

}  // namespace netlink_ct
