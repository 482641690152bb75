// The extended acknowledgement: the kernel's own text, and the attribute it points at, resolved to names through the schema.
#pragma once

#include "core/netlink/message.h"
#include "core/netlink/schema.h"

namespace netlink_ct {

struct Acknowledgement {
  int code = 0;                       // errno, positive; 0 is success
  std::string message = {};           // NLMSGERR_ATTR_MSG; on success a warning
  uint32_t offset = 0;                // NLMSGERR_ATTR_OFFS: where in the request; 0 when nowhere
  uint32_t missing = 0;               // NLMSGERR_ATTR_MISS_TYPE: the attribute that should have been there; 0 when none
  uint32_t missing_parent = 0;        // NLMSGERR_ATTR_MISS_NEST: offset of the nest that lacks it; 0 is the top level
  std::optional<Policy> policy = {};  // NLMSGERR_ATTR_POLICY: what the attribute at `offset` takes
};

// From the payload of NLMSG_ERROR or NLMSG_DONE. NLMSGERR_ATTR_COOKIE is skipped: neither rtnetlink nor nf_tables sends one.
Result<Acknowledgement> parse_acknowledgement(const nlmsghdr& header, std::span<const uint8_t> payload);

// The path of attribute names down to the one at `offset` of `request`, a whole message with its header:
// "IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID". Empty when nothing is there.
std::string attribute_path(const Schema& schema, std::span<const uint8_t> request, uint32_t offset);

// The same for an attribute that was missing.
std::string missing_path(const Schema& schema, std::span<const uint8_t> request, uint32_t parent, uint32_t type);

// The refusal of `request`, with the attributes' names.
Error explain(const MessageType& type, std::span<const uint8_t> request, const Acknowledgement& acknowledgement);

// The name of an NL_ATTR_TYPE_*: "u32", "string".
std::string policy_type(uint32_t type);

// Text on a success, and the attribute that it is about.
struct Warning {
  std::string message;
  std::string attribute;  // empty when it is about none
};

// Nothing where the kernel attached no text.
std::optional<Warning> warning_of(const MessageType& type, std::span<const uint8_t> request,
                                  const Acknowledgement& acknowledgement);

}  // namespace netlink_ct
