// How an input of the fuzzer begins: what no datagram holds. The datagram follows.
#pragma once

#include <cstdint>

namespace netlink_ct::test {

struct Setting {
  uint8_t netfilter;  // odd: not of the route protocol
  uint8_t keep;       // odd: unknown attributes are kept
  uint16_t offset;    // that an acknowledgement points at
};

}  // namespace netlink_ct::test
