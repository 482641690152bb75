// [ notrack ]
#include "core/nftables/expression/expressions.h"

namespace netlink_ct::nftables {

const Schema notrack_schema{std::span<const Attribute>()};

}  // namespace netlink_ct::nftables
