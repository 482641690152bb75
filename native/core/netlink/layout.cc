#include "core/netlink/layout.h"

#include <unordered_map>

namespace netlink_ct {

Layout::Layout(const Schema& of) : schema(&of) {
  for (const HeaderField& field : of.header) header.push_back(field_name(field.name));
  for (const Attribute& attribute : of.attributes) {
    if (attribute.number >= positions.size()) positions.resize(attribute.number + 1, nowhere);
    // Of two that have a number the first is the one that is read.
    if (positions[attribute.number] == nowhere) positions[attribute.number] = static_cast<uint16_t>(attributes.size());
    attributes.push_back({&attribute, field_name(attribute.name)});
  }
}

const Layout& layout_of(const Schema& schema) {
  thread_local std::unordered_map<const Schema*, Layout> layouts;
  const auto found = layouts.find(&schema);
  return found != layouts.end() ? found->second : layouts.try_emplace(&schema, schema).first->second;
}

}  // namespace netlink_ct
