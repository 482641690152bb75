// drivers/net/veth.c: the data of a veth is the link message of its other end.
#include <linux/veth.h>

#include "core/rtnetlink/kind/kinds.h"
#include "core/rtnetlink/schema.h"

namespace netlink_ct {
namespace {

constexpr Attribute attributes[] = {
    {VETH_INFO_PEER, Shape::message, "peer", "VETH_INFO_PEER", &link_schema},
};

}  // namespace

constinit const Schema veth_schema{attributes};

}  // namespace netlink_ct
