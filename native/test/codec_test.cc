// Objects to attributes and back.
#include "core/netlink/codec.h"

#include <linux/rtnetlink.h>

#include "core/netlink/registry.h"
#include "support.h"

using namespace netlink_ct;
using namespace netlink_ct::test;

namespace {

constexpr Attribute leaf_attributes[] = {
    {1, Shape::u32, "number", "LEAF_NUMBER"},
    {2, Shape::text, "text", "LEAF_TEXT"},
};
constexpr Schema leaf{leaf_attributes};

constexpr HeaderField inner_header[] = {{"small", 0, 1}, {"wide", 4, 4, true}};
constexpr Schema with_header{leaf_attributes, inner_header, 8};

constexpr Choice choices[] = {{"leaf", &leaf}};

constexpr HeaderField header[] = {
    {"byte", 0, 1}, {"port", 2, 2, false, true}, {"index", 4, 4, true}, {"flags", 8, 4}, {"order", 12, 2, true},
};

extern const Schema everything;

constexpr Attribute attributes[] = {
    {1, Shape::flag, "flag", "A_FLAG"},
    {2, Shape::u8, "u8", "A_U8"},
    {3, Shape::u16, "u16", "A_U16"},
    {4, Shape::u32, "u32", "A_U32"},
    {5, Shape::s32, "s32", "A_S32"},
    {6, Shape::u64, "u64", "A_U64"},
    {7, Shape::be16, "be16", "A_BE16"},
    {8, Shape::be32, "be32", "A_BE32"},
    {9, Shape::sbe32, "sbe32", "A_SBE32"},
    {10, Shape::be64, "be64", "A_BE64"},
    {11, Shape::text, "text", "A_TEXT"},
    {12, Shape::bytes, "bytes", "A_BYTES"},
    {13, Shape::ip, "ip", "A_IP"},
    {14, Shape::mac, "mac", "A_MAC"},
    {15, Shape::nest, "nest", "A_NEST", &leaf},
    {16, Shape::list, "list", "A_LIST", &leaf, 1},
    {17, Shape::texts, "texts", "A_TEXTS", nullptr, 53},
    {18, Shape::numbers, "numbers", "A_NUMBERS"},
    {19, Shape::message, "message", "A_MESSAGE", &with_header},
    {20, Shape::text, "kind", "A_KIND"},
    {21, Shape::chosen, "data", "A_DATA", nullptr, 0, "kind", choices},
    {23, Shape::chars, "chars", "A_CHARS"},
    {22, Shape::nest, "self", "A_SELF", &everything},
    {.number = 24, .shape = Shape::u32, .name = "onRequest", .kernel = "A_ON_REQUEST", .on_request = true},
};
const Schema everything{attributes, header, 16};
constexpr size_t header_size = 16;

Result<Bytes> encoded(const Object& object, const Schema& schema = everything) {
  MessageBuffer message;
  message.start(NLMSG_MIN_TYPE, 0, 1);
  auto done = encode(message, schema, object);
  if (!done) return done.error();
  const auto bytes = message.bytes().subspan(NLMSG_HDRLEN);
  return Bytes(bytes.begin(), bytes.end());
}

Bytes must_encode(const Object& object, std::source_location where = std::source_location::current()) {
  auto bytes = encoded(object);
  if (!bytes) fail(bytes.error().attribute + " " + bytes.error().note, where);
  return bytes.value();
}

Object must_decode(const Bytes& bytes, const Schema& schema = everything,
                   std::source_location where = std::source_location::current()) {
  const Exact exact(bytes);
  auto object = decode(schema, exact.span(), Unknown::keep);
  if (!object) fail(object.error().attribute + " " + object.error().note, where);
  return object.value();
}

const Object zero_header{
    {"byte", int64_t{0}}, {"port", int64_t{0}}, {"index", int64_t{0}}, {"flags", int64_t{0}}, {"order", int64_t{0}}};

Object with(std::string name, Value value) {
  Object object = zero_header;
  object.emplace_back(std::move(name), std::move(value));
  return object;
}

// A value comes back as it went; `hex_after_header` is what lies in between.
void round_trip(const char* name, const Value& value, std::string_view expected,
                std::source_location where = std::source_location::current()) {
  const Object object = with(name, value);
  const Bytes bytes = must_encode(object, where);
  equal(hex(std::span(bytes).subspan(header_size)), hex(bytes_of(expected)), where);
  equal(must_decode(bytes), object, where);
}

void every_shape() {
  round_trip("flag", true, "0400 0100");
  round_trip("u8", int64_t{255}, "0500 0200 ff000000");
  round_trip("u16", int64_t{0x1234}, "0600 0300 34120000");
  round_trip("u32", int64_t{0xfffffffe}, "0800 0400 feffffff");
  round_trip("s32", int64_t{-2}, "0800 0500 feffffff");
  round_trip("u64", uint64_t{0xfedcba9876543210}, "0c00 0600 1032547698badcfe");
  round_trip("be16", int64_t{0x1234}, "0600 0700 12340000");
  round_trip("be32", int64_t{0x12345678}, "0800 0800 12345678");
  round_trip("sbe32", int64_t{-300}, "0800 0900 fffffed4");
  round_trip("be64", uint64_t{0x0123456789abcdef}, "0c00 0a00 0123456789abcdef");
  round_trip("text", "lo", "0700 0b00 6c6f0000");
  round_trip("text", "", "0500 0b00 00000000");
  round_trip("chars", "lo", "0600 1700 6c6f0000");
  round_trip("chars", "", "0400 1700");
  round_trip("bytes", Bytes{1, 2, 3, 4, 5}, "0900 0c00 0102030405000000");
  round_trip("bytes", Bytes{}, "0400 0c00");
  round_trip("ip", "172.18.0.10", "0800 0d00 ac12000a");
  round_trip("ip", "fd00::10", "1400 0d00 fd000000000000000000000000000010");
  round_trip("mac", "02:42:ac:12:00:0a", "0a00 0e00 0242ac12000a0000");
  round_trip("mac", "00", "0500 0e00 00000000");
  round_trip("nest", Object{{"number", int64_t{1}}}, "0c00 0f80 0800 0100 01000000");
  round_trip("nest", Object{}, "0400 0f80");
  round_trip("list", List{Object{{"number", int64_t{1}}}, Object{}}, "1400 1080 0c00 0180 0800 0100 01000000 0400 0180");
  round_trip("texts", List{"a", "bcd"}, "1400 1180 0600 3500 61000000 0800 3500 62636400");
  round_trip("message", Object{{"small", int64_t{7}}, {"wide", int64_t{-1}}, {"text", "x"}},
             "1400 1380 07000000 ffffffff 0600 0200 78000000");
  round_trip("self", with("u8", int64_t{1}), "1c00 1680 00000000 00000000 00000000 00000000 0500 0200 01000000");
}

void header_fields() {
  const Object object{{"byte", int64_t{200}},
                      {"port", int64_t{0x1234}},
                      {"index", int64_t{-5}},
                      {"flags", int64_t{0xffffffff}},
                      {"order", int64_t{-2}}};
  const Bytes bytes = must_encode(object);
  equal(hex(bytes), std::string("c8001234fbfffffffffffffffeff0000"));
  equal(must_decode(bytes), object);
}

// The kernel takes the numbers with their positions and gives them back as a flat array.
void numbers() {
  const Bytes bytes = must_encode(with("numbers", List{int64_t{7}, {}, int64_t{9}}));
  equal(hex(std::span(bytes).subspan(header_size)),
        "14001280"
        "0800010007000000"
        "0800030009000000");
  Bytes answer(header_size);
  const Bytes flat = bytes_of("0c00 1200 07000000 09000000");
  answer.insert(answer.end(), flat.begin(), flat.end());
  equal(*find(must_decode(answer), "numbers"), Value(List{int64_t{7}, int64_t{9}}));
}

void chosen() {
  Object object = with("kind", "leaf");
  object.emplace_back("data", Object{{"number", int64_t{3}}});
  equal(must_decode(must_encode(object)), object);

  Object unknown = with("kind", "never heard of");
  unknown.emplace_back("data", bytes_of("0800010003000000"));
  equal(must_decode(must_encode(unknown)), unknown);

  Object wrong = with("kind", "never heard of");
  wrong.emplace_back("data", Object{});
  check(!encoded(wrong), "an object without a schema cannot be encoded");
  check(!encoded(with("data", Object{})), "nor one without a kind");
}

void undefined_fields() {
  const Bytes bytes = must_encode({{"byte", {}}, {"u8", {}}, {"text", {}}});
  equal(bytes, Bytes(header_size));
}

void unknown_attributes() {
  // Three that no schema here knows: a plain one, one with NLA_F_NESTED, one with NLA_F_NET_BYTEORDER.
  const Bytes bytes = bytes_of(
      "00000000 00000000 00000000 00000000 0800 0400 01000000 0700 6300 aabbcc00 0c00 6480 0800 0100 01000000 0800 6540 "
      "01020304");
  const Object kept = must_decode(bytes);
  equal(find(kept, "other")->get<List>()->size(), size_t{3});
  equal(hex(must_encode(kept)), hex(bytes));
  auto dropped = decode(everything, bytes, Unknown::drop);
  check(dropped && find(dropped.value(), "other") == nullptr, "they can be dropped");

  // The same inside a nest.
  const Bytes nested = bytes_of("00000000 00000000 00000000 00000000 1400 0f80 0800 0100 01000000 0600 6300 aabb0000");
  equal(hex(must_encode(must_decode(nested))), hex(nested));
}

void on_request() {
  const Bytes bytes = must_encode(with("self", Object{{"onRequest", int64_t{7}}, {"u8", int64_t{1}}}));
  const auto inner = [&](std::span<const std::string> wanted) {
    auto decoded = decode(everything, bytes, Unknown::drop, wanted);
    check(static_cast<bool>(decoded), "it is decoded");
    const auto* self = find(decoded.value(), "self")->get<Object>();
    check(find(*self, "u8") != nullptr, "what is not on request is always there");
    return find(*self, "onRequest") != nullptr;
  };
  const std::vector<std::string> wanted{"u8", "onRequest"};
  check(inner(wanted), "it is there when it is asked for");
  check(!inner({}), "and not when it is not");
  check(!inner(std::span(wanted).first(1)), "nor when something else is");
}

void refused(const char* name, const Value& value, std::source_location where = std::source_location::current()) {
  auto bytes = encoded(with(name, value));
  check(!bytes, std::string(name) + " " + show(value) + " is refused", where);
  equal(bytes.error().code, EINVAL, where);
  equal(bytes.error().attribute.substr(0, std::string_view(name).size()), std::string(name), where);
  check(!bytes.error().note.empty(), "with a reason", where);
}

void ranges() {
  refused("u8", int64_t{256});
  refused("u8", int64_t{-1});
  refused("u16", int64_t{65536});
  refused("u32", int64_t{0x100000000});
  refused("u32", int64_t{-1});
  refused("s32", int64_t{0x80000000});
  refused("s32", -int64_t{0x80000001});
  refused("be16", int64_t{65536});
  refused("be32", int64_t{-1});
  refused("sbe32", int64_t{0x80000000});
  refused("u64", int64_t{-1});
  refused("be64", int64_t{-1});
  refused("u32", uint64_t{UINT64_MAX});
  refused("numbers", List{int64_t{0x100000000}});
  refused("numbers", List{int64_t{-1}});
  round_trip("u8", int64_t{0}, "0500 0200 00000000");
  round_trip("s32", -int64_t{0x80000000}, "0800 0500 00000080");
  round_trip("u64", uint64_t{UINT64_MAX}, "0c00 0600 ffffffffffffffff");
}

void header_ranges() {
  for (const auto& [name, number] : std::vector<std::pair<const char*, int64_t>>{{"byte", 256},
                                                                                 {"byte", -1},
                                                                                 {"port", 65536},
                                                                                 {"index", 0x80000000},
                                                                                 {"flags", -1},
                                                                                 {"flags", 0x100000000},
                                                                                 {"order", 32768}}) {
    auto bytes = encoded({{name, number}});
    check(!bytes, std::string(name) + " out of range is refused");
    equal(bytes.error().attribute, std::string(name));
  }
  check(!encoded({{"byte", "1"}}), "a text is no header field");
}

void wrong_types() {
  refused("flag", int64_t{1});
  refused("u8", "1");
  refused("u64", "1");
  refused("text", int64_t{1});
  refused("text", std::string("a\0b", 3));
  refused("chars", int64_t{1});
  refused("chars", std::string("a\0b", 3));
  refused("bytes", "text");
  refused("ip", "172.18.0");
  refused("ip", "fd00::zz");
  refused("ip", Bytes{1, 2, 3, 4});
  refused("mac", "02:42:zz:12:00:0a");
  refused("mac", "024:42");
  refused("mac", "02:");
  refused("mac", ":02");
  refused("mac", "");
  refused("nest", List{});
  refused("nest", Object{{"number", "x"}});
  refused("list", Object{});
  refused("list", List{int64_t{1}});
  refused("list", List{Object{{"nope", int64_t{1}}}});
  refused("texts", List{int64_t{1}});
  refused("texts", List{std::string("a\0b", 3)});
  refused("numbers", List{"x"});
  refused("message", int64_t{1});
  refused("nonsense", int64_t{1});
  refused("other", int64_t{1});
  refused("other", List{Object{{"type", int64_t{65536}}, {"data", Bytes{}}}});
  refused("other", List{Object{{"type", int64_t{1}}}});
  refused("self", with("self", with("u8", int64_t{256})));
  auto deep = encoded(with("self", with("self", with("u8", int64_t{256}))));
  equal(deep.error().attribute, std::string("self.self.u8"));
}

void too_long() {
  check(!encoded(with("bytes", Bytes(65'532))), "65 532 bytes do not fit an attribute");
  check(static_cast<bool>(encoded(with("bytes", Bytes(65'531)))), "65 531 do");
  check(!encoded(with("text", std::string(65'531, 'x'))), "nor does a text of 65 531 characters with its NUL");
  List many(40'000, Value("x"));
  check(!encoded(with("texts", many)), "nor does a nest of many");
  // The last nest of all is looked at too.
  check(!encoded(with("nest", Object{{"text", std::string(65'530, 'x')}})), "nor a nest whose content alone would fit");
}

void wrong_sizes() {
  for (const char* attribute : {"0600 0200 00000000", "0500 0300 00000000", "0600 0400 00000000", "0400 0500",
                                "0800 0600 00000000", "0900 0d00 0102030405000000", "0400 0d00"}) {
    Bytes bytes(header_size);
    const Bytes tail = bytes_of(attribute);
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    const Exact exact(bytes);
    auto object = decode(everything, exact.span(), Unknown::keep);
    check(!object, std::string(attribute) + " has no size of its shape");
    equal(object.error().code, EBADMSG);
    check(object.error().attribute.starts_with("A_"), "the attribute is named: " + object.error().attribute);
  }
}

// As deep as nests of 4 bytes each make it.
Bytes tower(size_t floors) {
  Bytes bytes(header_size);
  for (size_t floor = 0; floor < floors; ++floor) {
    Bytes below(header_size + NLA_HDRLEN);
    const auto length = static_cast<uint16_t>(NLA_HDRLEN + bytes.size());
    const uint16_t type = 22 | NLA_F_NESTED;
    std::memcpy(below.data() + header_size, &length, 2);
    std::memcpy(below.data() + header_size + 2, &type, 2);
    below.insert(below.end(), bytes.begin(), bytes.end());
    bytes = below;
  }
  return bytes;
}

void depth() {
  must_decode(tower(8));
  const Exact hostile(tower(3000));
  auto object = decode(everything, hostile.span(), Unknown::keep);
  check(!object, "three thousand nests are refused");
  equal(object.error().attribute, std::string("nested too deeply"));
}

// Nothing here has to succeed: it must return, and under the sanitizers without a word.
void noise() {
  uint32_t state = 1;
  const auto next = [&] { return state = state * 1664525 + 1013904223; };
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes(next() % 200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>((next() >> 24) % (next() % 3 == 0 ? 256 : 24));
    const Exact exact(bytes);
    for (const char* name :
         {"RTM_NEWLINK", "RTM_NEWADDR", "RTM_NEWROUTE", "NFT_MSG_NEWRULE", "NFT_MSG_NEWSETELEM", "IPCTNL_MSG_CT_NEW"}) {
      static_cast<void>(decode(*message_type(name)->schema, exact.span(), Unknown::keep));
    }
    static_cast<void>(decode(everything, exact.span(), Unknown::keep));
  }
}

// What was decoded is encoded and decoded again to the same.
void noise_again() {
  uint32_t state = 7;
  const auto next = [&] { return state = state * 1664525 + 1013904223; };
  int decoded = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes(header_size);
    const size_t count = next() % 4;
    for (size_t at = 0; at < count; ++at) {
      const auto size = static_cast<uint16_t>((next() >> 8) % 9);
      auto type = static_cast<uint16_t>(1 + (next() >> 8) % 24);
      if (type == 18) type = 99;  // numbers come back in another form than they go
      const auto length = static_cast<uint16_t>(NLA_HDRLEN + size);
      const size_t start = bytes.size();
      bytes.resize(start + MNL_ALIGN(length));
      std::memcpy(bytes.data() + start, &length, 2);
      std::memcpy(bytes.data() + start + 2, &type, 2);
      for (size_t byte = 0; byte < size; ++byte) bytes[start + NLA_HDRLEN + byte] = static_cast<uint8_t>(next() >> 24);
    }
    auto first = decode(everything, bytes, Unknown::keep);
    // Encoding refuses what the kernel would never send: an empty address, two kinds.
    if (!first) continue;
    auto again = encoded(first.value());
    if (!again) continue;
    ++decoded;
    equal(must_decode(again.value()), first.value());
  }
  check(decoded > 1000, "enough of the noise is well-formed");
}

void every_message_type() {
  for (const char* name : {"RTM_NEWLINK", "RTM_DELLINKPROP", "RTM_GETROUTE", "NFT_MSG_NEWTABLE", "IPCTNL_MSG_CT_DELETE"}) {
    const MessageType* type = message_type(name);
    check(type != nullptr && type->name == name, std::string(name) + " is known");
  }
  check(message_type("RTM_NEWNONSENSE") == nullptr, "an unknown one is not");
  equal(message_type(NETLINK_ROUTE, RTM_NEWADDR)->name, "RTM_NEWADDR");
}

}  // namespace

int main() {
  return run({
      {"every shape has its bytes, and comes back from them", every_shape},
      {"header fields have their place, sign and byte order", header_fields},
      {"numbers go out by position and come back flat", numbers},
      {"what comes on request comes to those who ask", on_request},
      {"the kind chooses the schema of the data, and an unknown kind has bytes", chosen},
      {"a field that is undefined is not sent", undefined_fields},
      {"unknown attributes are kept and written back byte for byte", unknown_attributes},
      {"a number outside the attribute's range is refused by name", ranges},
      {"a number outside the header field's range is refused by name", header_ranges},
      {"a value of the wrong type is refused by name", wrong_types},
      {"an attribute that outgrows its length field is refused", too_long},
      {"a payload of the wrong size is an error that names the attribute", wrong_sizes},
      {"nesting is bounded", depth},
      {"noise is decoded or refused", noise},
      {"what was decoded encodes to what decodes to the same", noise_again},
      {"message types are found by name and by number", every_message_type},
  });
}
