// A schema says once what a message or a nest of attributes is made of: the JavaScript name, the kernel's name and number, and
// the shape of each attribute. Encoding, decoding, and the names in errors all come from it, so a new attribute is one line in a
// table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace netlink_ct {

enum class Shape : uint8_t {
  flag,  // present or absent, no payload: bool
  u8,
  u16,
  u32,
  s32,
  u64,   // a bigint in JavaScript
  be16,  // big-endian on the wire
  be32,
  sbe32,  // signed and big-endian (nft priorities, verdict codes)
  be64,   // a bigint in JavaScript
  text,   // NUL-terminated
  chars,  // text without a NUL, for the attributes in which the kernel counts every byte (IFLA_IFALIAS: an empty one removes it)
  bytes,  // as it is
  ip,     // 4 or 16 bytes, written as inet_ntop(3) does
  mac,    // hexadecimal pairs joined by ':', of any length
  nest,   // attributes of `schema`
  list,   // a nest whose attributes all have number `element` (0: any number) and the shape of `schema`
  texts,  // a nest of NUL-terminated strings, all with number `element` (IFLA_PROP_LIST)
  numbers,     // a nest of u32 in which the attribute number is the index + 1; read back by the kernel as a flat array
               // (IFLA_INET_CONF)
  message,     // like nest, with the header of `schema` in front (VETH_INFO_PEER)
  structure,   // fixed fields, the header of `schema`; what the kernel sends beyond them is kept in `rest`
  structures,  // an array of the same, one behind the other (NHA_GROUP)
  records,     // attributes of `schema` behind its header, in records that start with their own length (RTA_MULTIPATH)
  via,         // an address family and an address, written as the address (RTA_VIA)
  chosen,      // a nest whose schema is chosen by the value of the text attribute named `selector` in the same nest
};

struct Schema;

// One member of `chosen`: the schema that goes with a value of the selector.
struct Choice {
  std::string_view value;
  const Schema* schema;
};

struct Attribute {
  uint16_t number;
  Shape shape;
  std::string_view name;                 // in JavaScript: mtu
  std::string_view kernel;               // in the kernel's header: IFLA_MTU
  const Schema* schema = nullptr;        // nest, list, message
  uint16_t element = 0;                  // list, texts
  std::string_view selector = {};        // chosen: the JavaScript name of the text attribute
  std::span<const Choice> choices = {};  // chosen
  bool repeated = false;                 // may stand several times in its nest: a list in JavaScript (IFLA_BRIDGE_VLAN_INFO)
  bool on_request = false;               // decoded for those who ask for it by name: large, and of use to few (IFLA_STATS64)
};

// A field of the fixed header in front of the attributes (ifinfomsg, rtmsg, nfgenmsg).
struct HeaderField {
  std::string_view name;
  uint8_t offset;
  uint8_t size;  // 1, 2 or 4 bytes; 8, which is a bigint in JavaScript; any other: bytes as they are
  bool is_signed = false;
  bool big_endian = false;
};

constexpr bool is_number(const HeaderField& field) {
  return field.size == 1 || field.size == 2 || field.size == 4 || field.size == 8;
}

struct Schema {
  std::span<const Attribute> attributes;
  std::span<const HeaderField> header = {};
  size_t header_size = 0;
  const Schema* of_bridges = nullptr;  // in place of this one when the first byte, the family, is AF_BRIDGE (ifinfomsg)
};

// The schema of a message that begins with `family`.
constexpr const Schema& in_family(const Schema& schema, uint8_t family) {
  constexpr uint8_t af_bridge = 7;
  return schema.of_bridges != nullptr && family == af_bridge ? *schema.of_bridges : schema;
}

// A message type that this library speaks.
struct MessageType {
  uint16_t number;        // nlmsg_type, subsystem included
  std::string_view name;  // RTM_NEWLINK
  const Schema* schema;
  const Schema* answer = nullptr;  // what the kernel sends under this number, where that is not `schema` (RTM_NEWMDB)
};

constexpr const Schema& answer_schema(const MessageType& type) { return type.answer == nullptr ? *type.schema : *type.answer; }

}  // namespace netlink_ct
