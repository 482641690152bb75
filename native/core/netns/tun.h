// Tun and tap devices, which rtnetlink does not make: an ioctl of /dev/net/tun, by a thread that is inside. See tun(4) in the
// kernel's Documentation/networking/tuntap.rst.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/netns/home.h"

namespace netlink_ct {

enum class TunMode : uint8_t { tun, tap };

struct TunRequest {
  std::string name;
  TunMode mode = TunMode::tun;
  // To make: chosen by the caller, 0 for the kernel's next. To attach: the device that must have the name.
  int index = 0;
  bool attach = false;
  bool multi_queue = false;
  bool packet_information = false;
  bool vnet_header = false;
  // Of a device that is made: who may attach to it, and whether it stays without a descriptor.
  std::optional<uid_t> owner = {};
  std::optional<gid_t> owner_group = {};
  bool persistent = false;
};

struct Tun {
  Fd fd;
  int index;
};

// A descriptor of one queue, non-blocking and close-on-exec. Makes a device of a new name (EBUSY when it is taken), or attaches
// to one that is there (ENODEV when it is not). After an error nothing is left.
Result<Tun> open_tun(Home& home, const Namespace& target, const TunRequest& request);

}  // namespace netlink_ct
