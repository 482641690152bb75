#include "core/netlink/extack.h"

#include <linux/netlink.h>

#include <algorithm>
#include <array>

// Since Linux 6.0; the constants may be newer than the headers of the machine that builds.
constexpr uint16_t attr_miss_type = 5;
constexpr uint16_t attr_miss_nest = 6;
// Linux 5.19
constexpr uint16_t policy_mask = 12;

namespace netlink_ct {
namespace {

// What goes with an attribute's content on the way down.
struct Level {
  const Schema* schema;  // of the attributes
  std::span<const uint8_t> attributes;
  size_t start;          // offset of `attributes` in the request
  bool is_list = false;  // the attributes are items: each has the schema
};

std::string name_of(const Schema& schema, uint16_t type) {
  const auto found = std::ranges::find(schema.attributes, type, &Attribute::number);
  return found == schema.attributes.end() ? "attribute " + std::to_string(type) : std::string(found->kernel);
}

Level level_of(const Schema& schema, std::span<const uint8_t> payload, size_t start) {
  const size_t skip = std::min(payload.size(), static_cast<size_t>(MNL_ALIGN(schema.header_size)));
  return {&schema, payload.subspan(skip), start + skip};
}

// The schema inside one attribute, or nullptr for a leaf.
const Schema* inner_schema(const Attribute& attribute, const Level& level) {
  if (attribute.shape != Shape::chosen) return attribute.schema;
  const auto selector = std::ranges::find(level.schema->attributes, attribute.selector, &Attribute::name);
  const Schema* schema = nullptr;
  if (selector == level.schema->attributes.end()) return schema;
  each_attribute(level.attributes, [&](AttributeView view) {
    if (view.type != selector->number) return true;
    const auto choice = std::ranges::find(attribute.choices, std::string_view(text_of(view.payload)), &Choice::value);
    if (choice != attribute.choices.end()) schema = choice->schema;
    return true;
  });
  return schema;
}

// Walks towards `target`, an offset of an attribute's header; `found` receives the schema of what is inside it.
std::string descend(const uint8_t* base, const Level& level, size_t target, const Schema** found) {
  std::string path;
  int position = 0;
  each_attribute(level.attributes, [&](AttributeView view) {
    const auto content = static_cast<size_t>(view.payload.data() - base);
    const size_t header = content - MNL_ATTR_HDRLEN;
    ++position;
    if (target < header || target >= content + std::max<size_t>(view.payload.size(), 1)) return true;
    const Schema* inner = level.schema;
    bool inner_is_list = false;
    if (level.is_list) {
      path = "[" + std::to_string(position - 1) + "]";
    } else {
      path = name_of(*level.schema, view.type);
      const auto attribute = std::ranges::find(level.schema->attributes, view.type, &Attribute::number);
      inner = attribute == level.schema->attributes.end() ? nullptr : inner_schema(*attribute, level);
      inner_is_list = inner != nullptr && attribute->shape == Shape::list;
    }
    if (target == header) {
      *found = inner;
    } else if (inner != nullptr) {
      Level next = inner_is_list ? Level{inner, view.payload, content, true} : level_of(*inner, view.payload, content);
      const std::string rest = descend(base, next, target, found);
      if (!rest.empty()) path += rest.starts_with('[') ? rest : "." + rest;
    }
    return false;
  });
  return path;
}

std::string path_to(const Schema& schema, std::span<const uint8_t> request, uint32_t offset, const Schema** inner) {
  if (request.size() < MNL_NLMSG_HDRLEN || offset < MNL_NLMSG_HDRLEN || offset >= request.size()) return {};
  const auto body = request.subspan(MNL_NLMSG_HDRLEN);
  const Level top = level_of(in_family(schema, body[0]), body, MNL_NLMSG_HDRLEN);
  if (offset < top.start) {
    const auto field = std::ranges::find_if(
        schema.header, [&](const HeaderField& candidate) { return offset == MNL_NLMSG_HDRLEN + candidate.offset; });
    return field == schema.header.end() ? std::string() : std::string(field->name);
  }
  return descend(request.data(), top, offset, inner);
}

template <typename T>
void read_into(std::span<const uint8_t> payload, std::optional<T>& out) {
  T number{};
  if (read(payload, number)) out = number;
}

// A length that lies inside the policy costs the policy, not the refusal.
std::optional<Policy> policy_of(std::span<const uint8_t> attributes) {
  Policy policy;
  const bool whole = each_attribute(attributes, [&](AttributeView view) {
    switch (view.type) {
      case NL_POLICY_TYPE_ATTR_TYPE: read(view.payload, policy.type); break;
      case NL_POLICY_TYPE_ATTR_MIN_VALUE_S: read_into(view.payload, policy.signed_min); break;
      case NL_POLICY_TYPE_ATTR_MAX_VALUE_S: read_into(view.payload, policy.signed_max); break;
      case NL_POLICY_TYPE_ATTR_MIN_VALUE_U: read_into(view.payload, policy.min); break;
      case NL_POLICY_TYPE_ATTR_MAX_VALUE_U: read_into(view.payload, policy.max); break;
      case NL_POLICY_TYPE_ATTR_MIN_LENGTH: read_into(view.payload, policy.min_length); break;
      case NL_POLICY_TYPE_ATTR_MAX_LENGTH: read_into(view.payload, policy.max_length); break;
      case policy_mask: read_into(view.payload, policy.mask); break;
      case NL_POLICY_TYPE_ATTR_BITFIELD32_MASK:
        if (uint32_t mask = 0; read(view.payload, mask)) policy.mask = mask;
        break;
      default: break;
    }
    return true;
  });
  if (!whole || policy == Policy{}) return std::nullopt;
  return policy;
}

}  // namespace

Result<Acknowledgement> parse_acknowledgement(const nlmsghdr& header, std::span<const uint8_t> payload) {
  Acknowledgement acknowledgement;
  const Error malformed = bad_message("a malformed acknowledgement");
  int32_t code = 0;
  if (payload.size() < sizeof code) return malformed;
  std::memcpy(&code, payload.data(), sizeof code);
  if (code > 0 || code < -4095) return malformed;
  acknowledgement.code = -code;
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return acknowledgement;

  size_t attributes = sizeof code;
  if (header.nlmsg_type == NLMSG_ERROR) {
    if (payload.size() < sizeof(nlmsgerr)) return malformed;
    nlmsgerr error;
    std::memcpy(&error, payload.data(), sizeof error);
    attributes = sizeof error;
    // Without NLM_F_CAPPED the request is echoed in front of the attributes.
    if ((header.nlmsg_flags & NLM_F_CAPPED) == 0 && error.msg.nlmsg_len > MNL_NLMSG_HDRLEN) {
      attributes += MNL_ALIGN(size_t{error.msg.nlmsg_len} - MNL_NLMSG_HDRLEN);
    }
  }
  if (attributes > payload.size()) return malformed;
  const bool whole = each_attribute(payload.subspan(attributes), [&](AttributeView view) {
    if (view.type == NLMSGERR_ATTR_MSG) acknowledgement.message = text_of(view.payload);
    if (view.type == NLMSGERR_ATTR_OFFS) read(view.payload, acknowledgement.offset);
    if (view.type == attr_miss_type) read(view.payload, acknowledgement.missing);
    if (view.type == attr_miss_nest) read(view.payload, acknowledgement.missing_parent);
    if (view.type == NLMSGERR_ATTR_POLICY) acknowledgement.policy = policy_of(view.payload);
    return true;
  });
  if (!whole) return malformed;
  return acknowledgement;
}

std::string attribute_path(const Schema& schema, std::span<const uint8_t> request, uint32_t offset) {
  const Schema* inner = nullptr;
  return path_to(schema, request, offset, &inner);
}

std::string missing_path(const Schema& schema, std::span<const uint8_t> request, uint32_t parent, uint32_t type) {
  if (parent == 0) return name_of(schema, static_cast<uint16_t>(type));
  const Schema* inner = nullptr;
  const std::string path = path_to(schema, request, parent, &inner);
  const std::string name = inner == nullptr ? "attribute " + std::to_string(type) : name_of(*inner, static_cast<uint16_t>(type));
  return path.empty() ? name : path + "." + name;
}

std::string policy_type(uint32_t type) {
  static constexpr std::array<std::string_view, 18> names{"invalid", "flag", "u8",   "u16",        "u32",   "u64",
                                                          "s8",      "s16",  "s32",  "s64",        "bytes", "string",
                                                          "string",  "nest", "list", "bitfield32", "sint",  "uint"};
  return type < names.size() ? std::string(names[type]) : "type " + std::to_string(type);
}

Error explain(const MessageType& type, std::span<const uint8_t> request, const Acknowledgement& acknowledgement) {
  Error error{.code = acknowledgement.code,
              .syscall = std::string(type.name),
              .step = {},
              .extack = acknowledgement.message,
              .attribute = attribute_path(*type.schema, request, acknowledgement.offset)};
  if (acknowledgement.missing != 0) {
    error.missing = missing_path(*type.schema, request, acknowledgement.missing_parent, acknowledgement.missing);
  }
  if (!error.attribute.empty()) error.policy = acknowledgement.policy;
  return error;
}

std::optional<Warning> warning_of(const MessageType& type, std::span<const uint8_t> request,
                                  const Acknowledgement& acknowledgement) {
  if (acknowledgement.code != 0 || acknowledgement.message.empty()) return std::nullopt;
  return Warning{acknowledgement.message, attribute_path(*type.schema, request, acknowledgement.offset)};
}

}  // namespace netlink_ct
