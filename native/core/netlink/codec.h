// Objects to attributes and back, driven by a Schema.
#pragma once

#include "core/netlink/message.h"
#include "core/netlink/packed.h"
#include "core/netlink/schema.h"
#include "core/netlink/value.h"

namespace netlink_ct {

// What becomes of attributes that the schema does not know: kept as { type, data } in the list `other` (the type with
// its NLA_F_ bits), or dropped.
enum class Unknown : uint8_t { keep, drop };

// Appends the header (when the schema has one) and the attributes, in the object's order. An error names the field.
Result<void> encode(MessageBuffer& message, const Schema& schema, const Object& object);

// The opposite, packed as it is read: `bytes` starts with the schema's header. Never reads beyond the end; a length that lies is
// EBADMSG, and what was packed until then is nothing whole. `wanted` names the attributes of those that come on request only
// which are decoded with Unknown::drop; Unknown::keep decodes all.
Result<void> decode(Packer& out, const Schema& schema, std::span<const uint8_t> bytes, Unknown unknown,
                    std::span<const std::string> wanted = {});
// The same as an object.
Result<Object> decode(const Schema& schema, std::span<const uint8_t> bytes, Unknown unknown,
                      std::span<const std::string> wanted = {});

}  // namespace netlink_ct
