// What decoding looks up in a schema for each attribute, worked out once.
#pragma once

#include <cstdint>
#include <vector>

#include "core/netlink/packed.h"
#include "core/netlink/schema.h"

namespace netlink_ct {

struct Layout {
  struct Known {
    const Attribute* attribute;
    FieldName name;
  };

  explicit Layout(const Schema& schema);

  // nullptr for an attribute that the schema does not know.
  [[nodiscard]] const Known* by_number(uint16_t number) const {
    if (number >= positions.size() || positions[number] == nowhere) return nullptr;
    return &attributes[positions[number]];
  }

  static constexpr uint16_t nowhere = 0xffff;

  const Schema* schema;
  std::vector<FieldName> header;  // of its fields, in their order
  std::vector<Known> attributes;
  std::vector<uint16_t> positions;  // among them, by attribute number
};

// The same for the life of the thread, as schemas live for that of the process.
const Layout& layout_of(const Schema& schema);

}  // namespace netlink_ct
